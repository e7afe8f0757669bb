"""The fifty checks: what each asserts, how it compares, and how much a failure means at each tier.

Data. A check that no module answers is still listed, and a report says that it is not covered. The numbers are
those of the project's readiness catalogue; ids are never given twice, and a check whose meaning changes gets the
next version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from drift.checks.results import Severity
from lockstep.values import Tier


class Mode(Enum):
    """How a check compares."""

    EQUAL = "EQ"  # after normalisation
    MAPPED = "MAP"  # after declared mapping
    SUPERSET = "SUP"  # the follower has at least what the truth has
    PERCENT = "PCT"  # within so many percent
    AGE = "AGE"  # no older than a target
    PRESENT = "PRES"
    EACH = "EACH"  # a threshold at each site
    DIFFERENT = "DIFF"  # must differ
    PROBE = "PROBE"  # tried out


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: ``titles`` by language, ``severities`` by tier (a tier without one is not concerned)."""

    id: str
    version: int
    modes: tuple[Mode, ...]
    severities: Mapping[Tier, Severity]
    titles: Mapping[str, str]

    @property
    def gravest(self) -> Severity:
        """Its severity where it matters most."""
        return min(self.severities.values(), key=lambda severity: severity.rank)

    def title(self, language: str) -> str:
        """Its title in a language; in English where it has none."""
        return self.titles.get(language, self.titles["en"])


_TIERS = (Tier.WARM, Tier.HOT, Tier.ACTIVE)


def _check(id_: str, modes: str, severities: str, english: str, korean: str) -> Check:
    """A check; ``severities`` has a letter for warm, hot and active, or one for all, and ``-`` for none."""
    letters = severities * 3 if len(severities) == 1 else severities
    return Check(
        id=id_,
        version=1,
        modes=tuple(Mode(mode) for mode in modes.split("/")),
        severities={tier: Severity(letter) for tier, letter in zip(_TIERS, letters, strict=True) if letter != "-"},
        titles={"en": english, "ko": korean},
    )


_ALL = (
    _check("GIT-01", "EQ/SUP", "B", "Git mirrors hold what the source has", "Git 미러가 원본과 같음"),
    _check("GIT-02", "AGE", "B", "Git mirrors are no further behind than the RPO", "Git 미러 지연이 RPO 이내"),
    _check("IMG-01", "PRES", "B", "Every image is at DR, by digest", "모든 이미지가 DR에 다이제스트로 존재"),
    _check("IMG-02", "PRES", "B", "Every blob of every image is at DR", "모든 이미지의 모든 블롭이 DR에 존재"),
    _check("IMG-03", "EQ", "M", "Tags name the same digests at both sites", "태그가 양쪽에서 같은 다이제스트를 가리킴"),
    _check("IMG-04", "SUP", "B", "Images have the platforms of DR's nodes", "이미지가 DR 노드의 플랫폼을 지원"),
    _check("IMG-05", "PRES", "M", "Signatures and attestations came along", "서명과 증명이 함께 복제됨"),
    _check("IMG-06", "MAP", "B", "Images are pulled from DR's own registry", "이미지를 DR 자체 레지스트리에서 가져옴"),
    _check("APP-01", "EQ", "M", "The primary runs what git says", "주 센터가 Git과 같음"),
    _check("APP-02", "EQ", "-BB", "DR has what git says", "DR이 Git과 같음"),
    _check("APP-03", "MAP", "-BB", "DR has what the primary runs", "DR이 주 센터와 같음"),
    _check("APP-04", "EQ", "B", "The same revision is deployed everywhere", "모든 사이트에 같은 리비전이 배포됨"),
    _check("APP-05", "SUP", "B", "No object is missing at DR", "DR에 빠진 객체가 없음"),
    _check("APP-06", "PROBE", "BMM", "DR would admit every object", "DR이 모든 객체를 받아들임 (사전 실행)"),
    _check("CFG-01", "MAP", "B", "ConfigMaps are equal, key by key", "ConfigMap이 키별로 같음"),
    _check("CFG-02", "MAP", "B", "Secrets are equal, by fingerprint", "Secret이 지문으로 비교해 같음"),
    _check("CFG-03", "DIFF", "M", "What must differ between the sites differs", "사이트마다 달라야 하는 값이 다름"),
    _check("CFG-04", "PRES", "B", "What workloads refer to is at DR", "워크로드가 참조하는 것이 DR에 존재"),
    _check("SEC-01", "PROBE", "B", "Pull secrets open DR's registry", "이미지 풀 시크릿이 DR 레지스트리에서 유효"),
    _check("SEC-02", "SUP", "B", "No right is lost at DR", "DR에서 잃은 권한이 없음"),
    _check("SEC-03", "EACH", "B", "Certificates at DR are valid for long enough", "DR 인증서의 유효 기간이 충분함"),
    _check("SEC-04", "PROBE", "B", "DR can open sealed secrets", "DR에서 암호화된 시크릿을 열 수 있음"),
    _check(
        "NET-01",
        "MAP",
        "B",
        "Services and ingresses are equal and have addresses",
        "서비스·인그레스가 같고 주소가 있음",
    ),
    _check("NET-02", "MAP", "B", "Network policies and allow-lists include DR", "네트워크 정책·허용 목록에 DR 포함"),
    _check("NET-03", "PROBE", "B", "External endpoints answer DR", "외부 연계 시스템이 DR에서 연결됨"),
    _check("NET-04", "EACH", "M", "DNS is ready to switch", "DNS 전환 준비가 됨"),
    _check("API-01", "PCT", "M", "Kubernetes is at most one minor version apart", "쿠버네티스 버전 차이가 1 이내"),
    _check("API-02", "SUP", "B", "DR serves every kind that is used", "사용하는 모든 종류를 DR이 제공"),
    _check("API-03", "EQ", "B", "Operators are there in the same version", "같은 버전의 오퍼레이터가 있음"),
    _check("API-04", "EACH", "B", "Admission webhooks at DR answer", "DR의 어드미션 웹훅이 응답함"),
    _check("STO-01", "MAP", "B", "Storage classes have their counterparts at DR", "스토리지 클래스가 DR에 대응됨"),
    _check("STO-02", "PRES/SUP", "B", "Every volume has a copy at DR", "모든 볼륨의 사본이 DR에 있음"),
    _check("DAT-01", "AGE", "B", "Backups are no older than the RPO", "백업이 RPO 이내"),
    _check("DAT-02", "AGE", "M", "Backups were restored to prove them", "백업 복원을 검증함"),
    _check("DAT-03", "EACH", "B", "Backups can be read from DR", "DR에서 백업을 읽을 수 있음"),
    _check("CAP-01", "SUP/PCT", "B", "DR has room for the full size", "DR에 전체 규모의 용량이 있음"),
    _check("CAP-02", "SUP", "B", "Quotas at DR admit the full size", "DR의 쿼터가 전체 규모를 허용"),
    _check("CAP-03", "PROBE", "B", "Every Pod could be scheduled at DR", "모든 파드를 DR에서 스케줄할 수 있음"),
    _check("CAP-04", "EQ", "M", "Autoscalers and budgets are equal", "오토스케일러와 중단 예산이 같음"),
    _check("REP-01", "MAP", "B", "Replicas are those of the tier", "복제본 수가 등급에 맞음"),
    _check("TOP-01", "EACH", "--B", "Pods are spread over both centres", "파드가 양 센터에 고르게 분산됨"),
    _check("LAT-01", "PROBE", "M", "The line between the sites is fast enough", "사이트 간 회선이 충분히 빠름"),
    _check("TIM-01", "EACH", "M", "Clocks agree and CronJobs wait", "시계가 맞고 CronJob이 대기함"),
    _check("TPG-01", "DIFF", "B", "The sites do not fail together", "두 사이트가 같은 장애 영역에 있지 않음"),
    _check("TPG-02", "SUP", "M", "DR has room for several failures at once", "동시 장애에도 DR 용량이 충분함"),
    _check("PRB-01", "PROBE", "B", "The application answers at DR", "애플리케이션이 DR에서 응답함"),
    _check("PIP-01", "PRES", "M", "What is deployed was approved", "배포된 것이 승인됨"),
    _check("DRL-01", "AGE", "M", "A drill succeeded not long ago", "최근 모의훈련이 성공함"),
    _check("SLF-01", "PROBE", "B", "Lockstep itself works from DR", "Lockstep이 DR에서 동작함"),
    _check("SLF-02", "EACH", "B", "Everything that had to be read was read", "읽어야 할 것을 모두 읽음"),
)

UNBUILT: Mapping[str, str] = {
    "IMG-05": "nobody looks yet for what refers to an image",
    "CFG-03": "a value that must differ and does not is told by its rule, and nobody counts the rules yet",
    "SEC-04": "nobody tries yet to open a sealed secret at DR",
    "NET-01": "differences are told by APP-03, and nobody looks yet for classes and addresses",
    "NET-02": "differences are told by APP-03, and nobody knows the allow-lists of partners",
    "NET-03": "nothing of ours runs in DR's network to try it from there",
    "NET-04": "no DNS server is asked yet",
    "API-03": "nobody knows yet which operator is behind which kind",
    "STO-01": "storage classes are not read yet",
    "STO-02": "nothing that replicates or backs up volumes is read yet",
    "DAT-01": "nothing that makes backups is configured or read yet",
    "DAT-02": "nothing that restores backups is configured or read yet",
    "DAT-03": "no place where backups are kept is configured or read yet",
    "TOP-01": "the nodes of a stretched cluster are not told apart by centre yet",
    "LAT-01": "nothing of ours runs at the sites to measure the line between them",
    "TIM-01": "clocks of sites are shown and not held against a limit yet, and that CronJobs wait is told by APP-02",
    "TPG-02": "CAP-01 looks at one pair, and nobody adds up several yet",
    "PRB-01": "no probe of the application is configured yet",
    "PIP-01": "approvals are kept with their runs, and are not held against what is deployed yet",
    "SLF-01": "an installation does not try itself out from DR yet",
}
"""What is missing for each check that no module answers."""

CATALOGUE: Mapping[str, Check] = {check.id: check for check in _ALL}
"""Every check by its id, in the order of the catalogue."""

VERSION = "1"
"""Of the catalogue as a whole: what a report was judged by."""
