"""The store of an installation, put together: decisions, corrections, promotions, keys, audit, jobs, in one database.

A complaint is accepted when it is stored: where the store cannot be written, `/v1/classify` answers 503 and the
sender sends again. SQLite (WAL) by default, PostgreSQL by URL.
"""

from collections.abc import Iterator

from data.regions.region import known_regions
from data.settings import settings
from data.store.answers import Answers
from data.store.audit import Audit
from data.store.changes import Changes
from data.store.claims import Claims
from data.store.complaint_search import ComplaintSearch
from data.store.complaints import Complaints
from data.store.corrections import Corrections
from data.store.decisions import Decisions
from data.store.erasure import Erasures
from data.store.features import Features
from data.store.handling_sums import Handling
from data.store.job_leases import JobLeases
from data.store.jobs import Jobs
from data.store.keys import Keys
from data.store.management_decisions import ManagementDecisions
from data.store.operator_answers import OperatorAnswers
from data.store.outcomes import Outcomes
from data.store.promotions import Promotions
from data.store.retention import Expiry
from data.store.review_queue import ReviewQueue
from data.store.scanning import Finding, Scanner
from data.store.session import Database
from data.store.sessions import Sessions
from data.store.shadows import Shadows
from data.store.splits import Splits
from data.store.surge_notes import SurgeNotes
from data.store.topic_verdicts import TopicVerdicts


class Store:
    """What an installation keeps, region by region. Thread-safe.

    Args:
        url: SQLAlchemy URL.
        old_region: the region of rows that were stored before the store knew regions.

    Attributes:
        decisions: what classifiers said of complaints.
        features: what they read of them.
        corrections: what operators said instead.
        complaints: how they stand after both.
        changes: whether something has come since one looked last.
        outcomes: what became of them.
        handling: the same and all before it, as sums that KPIs are computed from.
        management_decisions: what was decided because of what the figures said.
        search: the same, searched and paged through.
        queue: those that wait for an operator.
        claims: which of them is whose.
        operator_answers: what operators say of them at the desk, and how it is undone.
        splits: which of them were cut in several.
        promotions: which versions became champions.
        answers: what requests under an `Idempotency-Key` were answered.
        surge_notes: what people wrote about surges.
        topic_verdicts: what they decided about proposed topics.
        shadows: what challengers would have said.
        jobs: files that are classified beside the service.
        leases: who works on which of them.
        keys: who may ask the service what.
        sessions: which browsers are logged in with which key.
        audit: who has asked it what.
        erasures: how a complaint is erased.
        expiry: what is over its retention.

    Raises:
        ConfigError: the URL is malformed or its driver is not installed.
    """

    def __init__(self, url: str, old_region: str) -> None:
        self._database = Database(url, old_region)
        self.decisions = Decisions(self._database)
        self.features = Features(self._database)
        self.corrections = Corrections(self._database)
        self.complaints = Complaints(self._database)
        self.changes = Changes(self._database)
        self.outcomes = Outcomes(self._database)
        self.handling = Handling(self._database)
        self.management_decisions = ManagementDecisions(self._database)
        self.search = ComplaintSearch(self._database)
        self.queue = ReviewQueue(self._database)
        self.claims = Claims(self._database)
        self.operator_answers = OperatorAnswers(self._database)
        self.splits = Splits(self._database)
        self.promotions = Promotions(self._database)
        self.answers = Answers(self._database)
        self.surge_notes = SurgeNotes(self._database)
        self.topic_verdicts = TopicVerdicts(self._database)
        self.shadows = Shadows(self._database)
        self.jobs = Jobs(self._database)
        self.leases = JobLeases(self._database)
        self.keys = Keys(self._database)
        self.sessions = Sessions(self._database)
        self.audit = Audit(self._database)
        self.erasures = Erasures(self._database)
        self.expiry = Expiry(self._database)

    def prepare(self) -> None:
        """Create the tables, or bring those of an earlier version up to date; several processes may do so at once.

        Raises:
            StoreError: the database cannot be reached or written.
        """
        self._database.prepare()

    def scan(self, scanner: Scanner) -> Iterator[Finding]:
        """What a scanner finds in it. Raises StoreError where it cannot be read."""
        return scanner.store(self._database)

    def version(self) -> tuple[str | None, str | None]:
        """Which version of the tables is there (None: none yet), and which this code wants; nothing is changed.

        Raises:
            StoreError: the database cannot be reached.
        """
        return self._database.version()

    def close(self) -> None:
        """Give the connections back."""
        self._database.close()


def open_store() -> Store:
    """The store of this installation, for what concerns all of its regions.

    Raises:
        ConfigError: the URL is malformed or its driver is not installed.
    """
    regions = known_regions()
    return Store(settings().database_url, settings().region or (regions[0] if len(regions) == 1 else ""))
