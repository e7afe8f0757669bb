"""The shapes of what a volume is made from, in a Pod and in a PersistentVolume (core/v1 types.go)."""

from __future__ import annotations

from drift.normalise.shapes import COUNT, FLAG, TEXT, TEXTS, listed, record

REFERENCE = record(
    **dict.fromkeys(("apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid"), TEXT)
)
"""A reference to an object: whatever of it is empty was not said."""
# The fields of all of them that Go writes no zero of; none of them has a field of these names that is told otherwise.
_DISK = record(
    **dict.fromkeys(
        (
            *("datasetName", "datasetUUID", "directory", "fsType", "group", "iscsiInterface", "keyring", "path"),
            *("pool", "protectionDomain", "revision", "secretFile", "storageMode", "storagePolicyID", "storagePool"),
            *("storagePolicyName", "tenant", "user", "volumeName", "volumeNamespace"),
        ),
        TEXT,
    ),
    **dict.fromkeys(("chapAuthDiscovery", "chapAuthSession", "readOnly", "sslEnabled"), FLAG),
    **dict.fromkeys(("portals", "targetWWNs", "wwids"), listed()),
    options=TEXTS,
    partition=COUNT,
    secretRef=REFERENCE,
)
DISKS = dict.fromkeys(
    (
        *("awsElasticBlockStore", "azureFile", "cephfs", "cinder", "fc", "flexVolume", "flocker", "gitRepo"),
        *("gcePersistentDisk", "glusterfs", "iscsi", "nfs", "photonPersistentDisk", "portworxVolume", "quobyte"),
        *("rbd", "scaleIO", "storageos", "vsphereVolume"),
    ),
    _DISK,
)
"""What a server or a cloud offers, by the name of the field."""
CSI = record(
    fsType=TEXT,
    readOnly=FLAG,
    volumeAttributes=TEXTS,
    **{
        f"{step}SecretRef": REFERENCE
        for step in ("controllerExpand", "controllerPublish", "nodeExpand", "nodePublish", "nodeStage")
    },
)
"""The driver of a PersistentVolume; that of a volume in a Pod tells an empty type from none."""
