"""One configuration, a document of each kind, for the reference, the schema and the tests.

Two sites with a bank's application: what a reader sees in the documentation is loaded by the tests as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping

_SITE = """\
apiVersion: lockstep.dev/v1alpha1
kind: Site
metadata:
  name: sejong
  labels: {region: kr-2, building: sejong-dc1}
spec:
  git:
    url: ssh://git@git.sejong.example/{repository}.git
    sshKey: {file: /etc/lockstep/sejong.key}
    knownHosts: {file: /etc/lockstep/known_hosts}
  registry:
    url: https://registry.sejong.example
    imagePrefix: registry.sejong.example/prod
    auth: {dockerConfig: {file: /etc/lockstep/sejong.json}}
  cluster:
    kubeconfig: {file: /etc/lockstep/sejong.kubeconfig}
    context: sejong
  archive: {directory: /srv/archive/sejong}
  values: {host: dr.bank.example, storageClass: ceph-rbd}
  link: {rate: 20Mbit}
"""

_ON_DISK = """\
# A site may be directories on this machine: a warm site, an air gap, a rehearsal.
apiVersion: lockstep.dev/v1alpha1
kind: Site
metadata:
  name: seoul
  labels: {region: kr-1, building: seoul-dc1}
spec:
  git: {directory: ../sites/seoul/git}
  registry: {layout: ../sites/seoul/registry, imagePrefix: registry.seoul.example/prod}
  cluster: {directory: ../sites/seoul/cluster}
  values: {host: bank.example, storageClass: ceph-rbd}
"""

_PAIR = """\
apiVersion: lockstep.dev/v1alpha1
kind: Pair
metadata: {name: seoul-sejong}
spec: {primary: seoul, standby: sejong}
"""

_APPLICATION = """\
apiVersion: lockstep.dev/v1alpha1
kind: Application
metadata: {name: pay}
spec:
  source:
    repository: bank/pay
    branch: main
    path: deploy
    render: kustomize
    overlays: {sejong: deploy/overlays/sejong}
  namespace: pay
  images:
  - name: pay/api
  - {name: vendor/hsm, from: docker.io/vendor/hsm, alsoAt: HsmProxy /spec/image}
  outOfGit: ["Secret/*"]
  pipeline:
    name: deliver
    onPush: {branches: [main]}
    params: {image: pay/api}
  protection:
    seoul-sejong:
      tier: hot
      rto: 3h
      rpo: 10m
      versionLag: 1h
      basis: the supervision rule
      floor: {default: 1, StatefulSet/ledger: 3, Rollout.argoproj.io/web: 50%}
      runCronJobs: [heartbeat]
  deletion: {most: 5%, allow: [PersistentVolumeClaim/cache]}
"""

_GIT_MIRROR = """\
apiVersion: lockstep.dev/v1alpha1
kind: GitMirror
metadata: {name: bank}
spec:
  source:
    url: https://git.bank.example/{repository}.git
    username: lockstep
    password: {env: BANK_GIT_TOKEN}
  repositories: [bank/*]
  sites: [seoul, sejong]
  guards: {emptySource: hold, deletions: {most: 10%}, diverged: hold}
  interval: 5m
"""

_IMAGE_MIRROR = """\
apiVersion: lockstep.dev/v1alpha1
kind: ImageMirror
metadata: {name: vendor}
spec:
  source: {url: https://registry-1.docker.io}
  repositories: [vendor/*]
  tags: ["2.*"]
  sites: [seoul, sejong]
---
# What the pipeline pushes to the primary's registry goes to the standby.
apiVersion: lockstep.dev/v1alpha1
kind: ImageMirror
metadata: {name: built}
spec:
  source: {site: seoul}
  repositories: [pay/*]
  sites: [sejong]
"""

_WEBHOOK = """\
apiVersion: lockstep.dev/v1alpha1
kind: Webhook
metadata: {name: forge}
spec:
  provider: gitea
  secrets:
  - {file: /etc/lockstep/forge-secret}
  - {env: OLD_FORGE_SECRET, expires: 2027-01-31}
  sources: [10.1.0.0/16]
  mirrors: [bank]
"""

_EXPECTED_DIFFERENCE = """\
apiVersion: lockstep.dev/v1alpha1
kind: ExpectedDifference
metadata: {name: hosts}
spec:
  applications: [pay]
  at:
  - Ingress /spec/rules/*/host
  - ConfigMap/pay /data/app.yaml#/cors/origin
  perSite: "{host}"
  reason: global load balancing
  owner: network team
  expires: 2027-03-31
  acceptedBy: dr-manager
---
apiVersion: lockstep.dev/v1alpha1
kind: ExpectedDifference
metadata: {name: databases}
spec:
  at: [ConfigMap/pay /data/DATABASE_HOST]
  map: [{from: '(.*)-a\\.db\\.example', to: '\\1-b.db.example'}]
  reason: each site has its own database
  owner: database team
  expires: 2027-03-31
"""

_DRILL = """\
apiVersion: lockstep.dev/v1alpha1
kind: Drill
metadata: {name: yearly}
spec:
  pair: seoul-sejong
  applications: [pay]
  scenario: the data centre in Seoul has lost its power
  every: 365d
"""

_NOTIFICATION = """\
apiVersion: lockstep.dev/v1alpha1
kind: Notification
metadata: {name: operations}
spec:
  apprise: [{env: OPERATIONS_CHAT_URL}]
  webhooks:
  - {url: {env: INCIDENT_URL}, secrets: [{env: INCIDENT_SECRET}], allowPrivate: true}
  when: [new, worse, resolved, open, waiting]
  pairs: [seoul-sejong]
  applications: [pay]
  verdicts: [Unknown, MissingAtStandby, PrimaryHotfix, StandbyDrift]
  severity: blocker
  digest: 1d
  language: ko
"""

_PIPELINE = """\
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {name: deliver}
spec:
  params:
  - {name: image}
  tasks:
  - name: validate
    taskRef: {name: validate}
  - name: approve
    runAfter: [validate]
    taskRef: {apiVersion: lockstep.dev/v1alpha1, kind: Approval}
"""

_TASK = """\
apiVersion: tekton.dev/v1
kind: Task
metadata: {name: validate}
spec:
  steps:
  - name: count
    image: docker.io/library/busybox:1.37
    script: find . -type f | wc -l
"""

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "Site": (_SITE, _ON_DISK),
    "Pair": (_PAIR,),
    "Application": (_APPLICATION,),
    "GitMirror": (_GIT_MIRROR,),
    "ImageMirror": (_IMAGE_MIRROR,),
    "Webhook": (_WEBHOOK,),
    "ExpectedDifference": (_EXPECTED_DIFFERENCE,),
    "Drill": (_DRILL,),
    "Notification": (_NOTIFICATION,),
    "Pipeline": (_PIPELINE,),
    "Task": (_TASK,),
}
"""Files with a document or more of each kind; together they are one configuration."""
