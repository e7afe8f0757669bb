"""What has to hold on an API server: on the double always, on a real one where ``KUBEBUILDER_ASSETS`` names it."""
