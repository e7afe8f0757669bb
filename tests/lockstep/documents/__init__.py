"""Documents, as Kubernetes reads them."""
