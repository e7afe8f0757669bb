"""Every rule of comparing that was weighed: which we keep, which we keep better, and which are not ours, and why.

The rows are those of the engines that were studied (Argo CD and its gitops-engine N, Flux F, Fleet R, the strip
lists of cross-cluster tools X), the API server's own defaults (2.6), what users of those engines miss (G), and
ours (L). Each row that is kept has a folder ``tests/drift/rules/<row>`` that shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Attitude(Enum):
    """What became of a row."""

    ADOPT = "adopt"
    BETTER = "better"
    NOT_OURS = "not ours"


@dataclass(frozen=True, slots=True)
class Row:
    """One rule: its id, what became of it, what it is about, and how ours differs or why it is not ours."""

    id: str
    attitude: Attitude
    about: str
    reason: str


_A, _B, _N = Attitude.ADOPT, Attitude.BETTER, Attitude.NOT_OURS

ROWS: tuple[Row, ...] = (
    Row("N01", _A, "where an object belongs", "lockstep.manifests.scope places what git renders"),
    Row("N02", _B, "an object written twice", "a rendering with two is refused; of two at a site the last counts"),
    Row("N03", _A, "an object served by two groups", "one key for both, in the group where the kind lives now"),
    Row("N04", _A, "hooks of Helm and Argo CD", "they come and go with deployments"),
    Row("N05", _A, "objects of another application", "members of another ApplySet are that application's"),
    Row("N06", _N, "moving from one tracking method to another", "no tracking metadata is compared at all (X17)"),
    Row("N07", _A, "1.0 and 1", "JSON has one kind of number"),
    Row(
        "N08",
        _B,
        "zero values that the server leaves out",
        "by shape; an unknown field, a wrong type and an off that is on at both sites show",
    ),
    Row("N09", _B, "quantities", "compared as numbers, so 1Gi is 1073741824"),
    Row("N10", _B, "known types inside custom resources", "Pod templates and resources are known wherever they stand"),
    Row("N11", _A, "creationTimestamp: null of exporters", "the server owns it"),
    Row("N12", _A, "stringData", "merged into data, where it wins"),
    Row("N13", _A, "null in the data of a Secret", "an empty value"),
    Row("N14", _A, "rules: [] of a role", "the same as none"),
    Row("N15", _A, "rules of an aggregated role", "a controller gathers them"),
    Row("N16", _A, "protocol and order of Endpoints", "where git has Endpoints; others are excluded (2.5)"),
    Row(
        "N17", _B, "what is null", "the same as absent; but not what holds off a default, nor what a schema leaves open"
    ),
    Row("N18", _B, "claim templates of a StatefulSet", "found by name, without what the server writes into them"),
    Row("N19", _B, "defaults", "the same on every side, whichever release of Kubernetes a site runs"),
    Row("N20", _B, "masking Secrets", "they are sealed by keyed fingerprints before anything compares them"),
    Row("N21", _B, "defaults of custom resources", "from the schema in the definition, where a site or git has it"),
    Row("N22", _A, "the copy of the last apply", "dropped; never a base to merge from"),
    Row("N23", _A, "managedFields and resourceVersion", "the server owns them"),
    Row("N24", _N, "what webhooks change in a dry run", "what they change at one site only is a difference"),
    Row("N25", _N, "dry runs of creations and deletions", "where an object is, is looked at before its fields"),
    Row("N26", _N, "merging git into what lives", "merged with it, a field added by hand is equal to itself"),
    Row("N27", _N, "fields of trusted managers", "trusting a manager hides what it did at one site only"),
    Row("N28", _B, "ignore rules", "a rule that covers nothing, is slow or has expired is a finding"),
    Row("N29", _A, "status", "the server owns it"),
    Row("N30", _B, "preserveUnknownFields: false", "the default, for everyone"),
    Row("N31", _N, "IgnoreExtraneous", "an annotation on an object at a site may not silence its comparison"),
    Row("N32", _N, "caching differences", "ours is keyed by content (drift.memory), so nothing in it can be stale"),
    Row("N33", _A, "notes of controllers", "annotations that change by themselves"),
    Row("N34", _B, "fields that only live objects have", "the sites are compared with each other, both ways"),
    Row("F01", _B, "protocol of ports", "in all three lists of containers"),
    Row("F02", _A, "stringData", "as N12"),
    Row("F03", _A, "status and creationTimestamp in git", "the server takes neither"),
    Row("F04", _N, "roles that lose their rules in a round trip", "nothing goes through Go types here"),
    Row("F05", _A, "an invalid caBundle in a definition", "as if git had none"),
    Row("F06", _A, "null and empty", "equal where the server leaves empty values out"),
    Row("F07", _N, "doubled metrics of a dry run before 1.27", "no dry run is compared"),
    Row("F08", _B, "labels that were removed", "seen: one side has them"),
    Row("F09", _N, "ignored fields while applying", "comparing changes nothing"),
    Row("F10", _A, "marks of earlier applies", "dropped with the other marks (X17)"),
    Row("F11", _B, "masking Secrets", "as N20"),
    Row("F12", _B, "objects that say they are not reconciled", "they are compared all the same"),
    Row("F13", _A, "a Secret that is still encrypted", "Unknown: there is nothing to compare"),
    Row("F14", _N, "immutable fields", "a question of applying"),
    Row("R01", _A, "status", "as N29"),
    Row("R02", _A, "caBundle that a controller injects", "kept when git sets one"),
    Row("R03", _A, "replicas under an autoscaler", "in step within its bounds, drift outside"),
    Row("R04", _N, "taking missing objects out of a plan", "an ExpectedDifference says where an object belongs"),
    Row("R05", _N, "copies made by operators", "what an operator makes has an owner (2.5)"),
    Row("X01", _A, "identity, owners and finalizers", "owners and finalizers are kept when git sets them"),
    Row("X02", _A, "creationTimestamp in templates", "the server owns it"),
    Row("X03", _B, "labels and annotations of Kubernetes", "only marks that are known by name are dropped"),
    Row("X04", _A, "revision of a Deployment", "a controller counts it"),
    Row("X05", _A, "selector and labels of a Job", "unless the selector is manual"),
    Row("X06", _B, "addresses and node ports of a Service", "with node ports and address families"),
    Row("X07", _A, "token secrets of a ServiceAccount", "those that a controller made up names for"),
    Row("X08", _A, "data of a token Secret", "a token belongs to its cluster"),
    Row("X09", _B, "which volume a claim got", "with the annotations of binding and provisioning"),
    Row("X10", _A, "what a Pod is given", "its node, its token's volume, default tolerations"),
    Row("X11", _N, "the retain-replicas label", "a label may not silence a comparison; the tier and autoscalers do"),
    Row("X12", _B, "labels and annotations added at a member", "seen, unless they are marks"),
    Row("X13", _B, "labels of platforms", "pod security levels are compared: they decide what starts"),
    Row("X14", _B, "empty mappings that are left", "only where empty says nothing: never a selector or an emptyDir"),
    Row("X14b", _A, "what cannot be compared", "Unknown, never equal"),
    Row("X15", _B, "redacting Secrets", "as N20"),
    Row("X16", _N, "hashing without annotations of ConfigMaps", "the leader's annotation is dropped by name (N33)"),
    Row("X17", _A, "tracking metadata of all tools", "an ApplySet's too, which no side decides"),
    Row("X18", _A, "caBundle of each cluster", "as R02, for definitions and API services too"),
    Row("2.5", _B, "kinds and objects of the cluster's own", "an object that git names is never excluded"),
    Row("2.6.1", _A, "defaults of Pods", "in templates too"),
    Row("2.6.2", _A, "defaults of containers", "in all three lists"),
    Row("2.6.3", _A, "defaults of volumes", ""),
    Row("2.6.4", _A, "defaults of Services, Secrets, volumes, limits", ""),
    Row("2.6.5", _A, "defaults of Deployments, DaemonSets, StatefulSets", ""),
    Row("2.6.6", _A, "defaults of Jobs and CronJobs", "those of newer releases too"),
    Row("2.6.7", _A, "defaults of autoscalers", ""),
    Row("2.6.8", _A, "defaults of policies, bindings and classes", ""),
    Row("2.6.9", _A, "defaults of webhooks and definitions", "timeoutSeconds is 10"),
    Row("G1", _B, "schema defaults of custom resources", "as N21"),
    Row("G2", _B, "quantities in custom resources", "by schema, or by their suffix"),
    Row("G3", _B, "metrics that a controller reorders", "a bag"),
    Row("G4", _B, "one port for TCP and UDP, a name given twice", "found by port and protocol, the second numbered"),
    Row("G5", _B, "resources: {}", "the same as none, however it is written"),
    Row("G6", _B, "random values of a chart", "declared to live out of git, they are compared between the sites"),
    Row("G7", _B, "fields that nobody knows", "compared as they are written"),
    Row("G8", _B, "ports without protocol", "TCP before anything is looked up"),
    Row("G9", _B, "different versions of one kind", "brought to one, else Unknown"),
    Row("G10", _B, "YAML and JSON in ConfigMaps", "compared by meaning, shown by key"),
    Row("L02", _A, "the order of lists found by key, and of sets", "kept where one entry builds on those before it"),
    Row(
        "L03",
        _B,
        "the order of lists that the API replaces whole",
        "nothing where nobody reads it: rules, peers, verbs",
    ),
    Row("L01", _A, "the time of a rollout restart", "an action, nothing that a start needs"),
)
"""Every row, in the order of the studies."""
