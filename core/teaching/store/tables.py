"""The tables of the database. Times are milliseconds since 1970 (UTC); what came first is told by ids, which only grow."""

from sqlalchemy import JSON, BigInteger, Boolean, Float, ForeignKey, Integer, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# Named by rule, so that a later migration can drop what an earlier one made.
_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
# SQLite counts rows up by itself only in a column of exactly this type.
Number = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=_NAMES)


def _key() -> Mapped[int]:
    return mapped_column(Number, primary_key=True, autoincrement=True)


def _of(column: str) -> Mapped[int]:
    """A row of another table; this row goes with it."""
    return mapped_column(Number, ForeignKey(column, ondelete="CASCADE"), index=True)


_COUNTED = {"sqlite_autoincrement": True}  # an id is never given twice, even after a deletion


class TimeRow(Base):
    """The latest time that any run has seen; one row, which the first migration writes."""

    __tablename__ = "times"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    latest: Mapped[int] = mapped_column(BigInteger)


# ---- rooms ----


class RoomRow(Base):
    __tablename__ = "rooms"
    __table_args__ = (_COUNTED,)
    id: Mapped[int] = _key()
    code: Mapped[str] = mapped_column(String(12), unique=True)
    secret_hash: Mapped[str] = mapped_column(String(64))
    salt: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(200))
    steps: Mapped[list] = mapped_column(JSON)
    arms: Mapped[list] = mapped_column(JSON)
    position: Mapped[int] = mapped_column(Integer)
    step: Mapped[int] = mapped_column(Integer)
    over: Mapped[bool] = mapped_column(Boolean)
    version: Mapped[int] = mapped_column(Integer)
    opened_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


class RoomCaseRow(Base):
    """A case of a room; `furthest` is the furthest step that the class has seen of it, -1 before it was shown."""

    __tablename__ = "room_cases"
    room_id: Mapped[int] = mapped_column(Number, ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    case: Mapped[dict] = mapped_column("case_record", JSON)
    advice: Mapped[dict | None] = mapped_column(JSON(none_as_null=True), nullable=True)
    furthest: Mapped[int] = mapped_column(Integer)


class StudentRow(Base):
    __tablename__ = "students"
    __table_args__ = (UniqueConstraint("room_id", "nickname_folded"), _COUNTED)
    id: Mapped[int] = _key()
    room_id: Mapped[int] = _of("rooms.id")
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    nickname: Mapped[str] = mapped_column(String(60))
    nickname_folded: Mapped[str] = mapped_column(String(120))
    arm: Mapped[str] = mapped_column(String(20))
    experience: Mapped[str] = mapped_column(String(20))
    consent: Mapped[bool] = mapped_column(Boolean)
    joined_at: Mapped[int] = mapped_column(BigInteger)


class VoteRow(Base):
    __tablename__ = "votes"
    __table_args__ = (UniqueConstraint("student_id", "position", "round"), _COUNTED)
    id: Mapped[int] = _key()
    room_id: Mapped[int] = _of("rooms.id")
    student_id: Mapped[int] = _of("students.id")
    position: Mapped[int] = mapped_column(Integer)
    round: Mapped[int] = mapped_column(Integer)
    diagnosis: Mapped[str] = mapped_column(String(10))
    confidence: Mapped[int] = mapped_column(Integer)
    milliseconds: Mapped[int | None] = mapped_column(Integer, nullable=True)
    at: Mapped[int] = mapped_column(BigInteger)


# ---- quiz ----


class LearnerRow(Base):
    __tablename__ = "learners"
    __table_args__ = (_COUNTED,)
    id: Mapped[int] = _key()
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    nickname: Mapped[str] = mapped_column(String(60))
    made_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


class QuizRow(Base):
    __tablename__ = "quizzes"
    __table_args__ = (_COUNTED,)
    id: Mapped[int] = _key()
    learner_id: Mapped[int] = _of("learners.id")
    title: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    faulty_share: Mapped[float] = mapped_column(Float)
    salt: Mapped[str] = mapped_column(String(64))
    over: Mapped[bool] = mapped_column(Boolean)
    made_at: Mapped[int] = mapped_column(BigInteger)


class QuizCaseRow(Base):
    __tablename__ = "quiz_cases"
    quiz_id: Mapped[int] = mapped_column(Number, ForeignKey("quizzes.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    case: Mapped[dict] = mapped_column("case_record", JSON)
    advice: Mapped[dict] = mapped_column(JSON)


class QuizAnswerRow(Base):
    __tablename__ = "quiz_answers"
    __table_args__ = (UniqueConstraint("quiz_id", "position", "round"), _COUNTED)
    id: Mapped[int] = _key()
    quiz_id: Mapped[int] = _of("quizzes.id")
    position: Mapped[int] = mapped_column(Integer)
    round: Mapped[int] = mapped_column(Integer)
    diagnosis: Mapped[str] = mapped_column(String(10))
    confidence: Mapped[int] = mapped_column(Integer)
    suspects_fault: Mapped[bool | None] = mapped_column(Boolean, nullable=True)
    milliseconds: Mapped[int | None] = mapped_column(Integer, nullable=True)
    at: Mapped[int] = mapped_column(BigInteger)


class CardRow(Base):
    """When a learner is to see a case again; `card` is the record of the library fsrs."""

    __tablename__ = "cards"
    learner_id: Mapped[int] = mapped_column(Number, ForeignKey("learners.id", ondelete="CASCADE"), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    case: Mapped[dict] = mapped_column("case_record", JSON)
    card: Mapped[dict] = mapped_column(JSON)
    due: Mapped[int] = mapped_column(BigInteger, index=True)


# ---- reader studies ----


class StudyRow(Base):
    __tablename__ = "studies"
    __table_args__ = (_COUNTED,)
    id: Mapped[int] = _key()
    code: Mapped[str] = mapped_column(String(12), unique=True)
    secret_hash: Mapped[str] = mapped_column(String(64))
    salt: Mapped[str] = mapped_column(String(64))
    protocol: Mapped[dict] = mapped_column(JSON)
    advice: Mapped[dict] = mapped_column(JSON)
    closed: Mapped[bool] = mapped_column(Boolean)
    opened_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)


class ReaderRow(Base):
    __tablename__ = "readers"
    __table_args__ = (UniqueConstraint("study_id", "number"), UniqueConstraint("study_id", "nickname_folded"), _COUNTED)
    id: Mapped[int] = _key()
    study_id: Mapped[int] = _of("studies.id")
    number: Mapped[int] = mapped_column(Integer)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    nickname: Mapped[str] = mapped_column(String(60))
    nickname_folded: Mapped[str] = mapped_column(String(120))
    experience: Mapped[str] = mapped_column(String(20))
    consent: Mapped[bool] = mapped_column(Boolean)
    joined_at: Mapped[int] = mapped_column(BigInteger)


class StudyReadingRow(Base):
    __tablename__ = "study_readings"
    __table_args__ = (UniqueConstraint("reader_id", "place"), _COUNTED)
    id: Mapped[int] = _key()
    study_id: Mapped[int] = _of("studies.id")
    reader_id: Mapped[int] = _of("readers.id")
    place: Mapped[int] = mapped_column(Integer)
    case_id: Mapped[str] = mapped_column(String(64))
    arm: Mapped[str] = mapped_column(String(60))
    repeat: Mapped[int] = mapped_column(Integer)
    answers: Mapped[dict] = mapped_column(JSON)
    milliseconds: Mapped[int | None] = mapped_column(Integer, nullable=True)
    at: Mapped[int] = mapped_column(BigInteger)
