"""Addresses and ports that services are given."""

from __future__ import annotations

import hashlib

from tests.support.kubernetes_double.types import Object


class Allocations:
    """Addresses and ports for services, the same for the same name as far as they are free."""

    def __init__(self) -> None:
        self._taken: set[str | int] = set()

    def service(self, service: Object) -> Object:
        """A service with what it did not ask for by name."""
        spec = dict(service["spec"])
        if spec["type"] == "ExternalName":
            return service
        if not spec.get("clusterIP"):
            spec["clusterIP"] = self._address(service["metadata"])
        spec["clusterIPs"] = spec.get("clusterIPs") or [spec["clusterIP"]]
        spec["ipFamilies"] = spec.get("ipFamilies") or ["IPv4"]
        spec["ipFamilyPolicy"] = spec.get("ipFamilyPolicy") or "SingleStack"
        if spec["type"] in {"NodePort", "LoadBalancer"} and spec.get("allocateLoadBalancerNodePorts") is not False:
            spec["ports"] = [
                port if port.get("nodePort") else port | {"nodePort": self._free(range(30000, 32768), service, index)}
                for index, port in enumerate(spec.get("ports") or ())
            ]
        return service | {"spec": spec}

    def _address(self, metadata: Object) -> str:
        number = self._free(range(1 * 256, 256 * 256 - 2), {"metadata": metadata}, 0)
        return f"10.0.{number // 256}.{number % 256}"

    def _free(self, among: range, of: Object, index: int) -> int:
        metadata = of["metadata"]
        seed = f"{metadata.get('namespace')}/{metadata['name']}/{index}".encode()
        number = int.from_bytes(hashlib.sha256(seed).digest()[:4], "big") % len(among)
        while among[number % len(among)] in self._taken:
            number += 1
        self._taken.add(among[number % len(among)])
        return among[number % len(among)]
