"""The first tables: rooms, quizzes, spaced repetition, reader studies."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# SQLite counts rows up by itself only in a column of exactly this type.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "learners",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("nickname", sa.String(length=60), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learners")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_learners_token_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_learners_expires_at"), "learners", ["expires_at"], unique=False)
    op.create_table(
        "rooms",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("arms", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rooms")),
        sa.UniqueConstraint("code", name=op.f("uq_rooms_code")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_rooms_expires_at"), "rooms", ["expires_at"], unique=False)
    op.create_table(
        "studies",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("protocol", sa.JSON(), nullable=False),
        sa.Column("advice", sa.JSON(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
        sa.UniqueConstraint("code", name=op.f("uq_studies_code")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_studies_expires_at"), "studies", ["expires_at"], unique=False)
    op.create_table(
        "times",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("latest", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_times")),
    )
    op.execute("INSERT INTO times (id, latest) VALUES (1, 0)")
    op.create_table(
        "cards",
        sa.Column("learner_id", NUMBER, nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("case_record", sa.JSON(), nullable=False),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learners.id"], name=op.f("fk_cards_learner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("learner_id", "case_id", name=op.f("pk_cards")),
    )
    op.create_index(op.f("ix_cards_due"), "cards", ["due"], unique=False)
    op.create_table(
        "quizzes",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("learner_id", NUMBER, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("faulty_share", sa.Float(), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], name=op.f("fk_quizzes_learner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quizzes")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_quizzes_learner_id"), "quizzes", ["learner_id"], unique=False)
    op.create_table(
        "readers",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("study_id", NUMBER, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("nickname", sa.String(length=60), nullable=False),
        sa.Column("nickname_folded", sa.String(length=120), nullable=False),
        sa.Column("experience", sa.String(length=20), nullable=False),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_readers_study_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readers")),
        sa.UniqueConstraint("study_id", "nickname_folded", name=op.f("uq_readers_study_id_nickname_folded")),
        sa.UniqueConstraint("study_id", "number", name=op.f("uq_readers_study_id_number")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_readers_token_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_readers_study_id"), "readers", ["study_id"], unique=False)
    op.create_table(
        "room_cases",
        sa.Column("room_id", NUMBER, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("case_record", sa.JSON(), nullable=False),
        sa.Column("advice", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("furthest", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_room_cases_room_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("room_id", "position", name=op.f("pk_room_cases")),
    )
    op.create_table(
        "students",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("room_id", NUMBER, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("nickname", sa.String(length=60), nullable=False),
        sa.Column("nickname_folded", sa.String(length=120), nullable=False),
        sa.Column("arm", sa.String(length=20), nullable=False),
        sa.Column("experience", sa.String(length=20), nullable=False),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_students_room_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_students")),
        sa.UniqueConstraint("room_id", "nickname_folded", name=op.f("uq_students_room_id_nickname_folded")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_students_token_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_students_room_id"), "students", ["room_id"], unique=False)
    op.create_table(
        "quiz_answers",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("quiz_id", NUMBER, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("diagnosis", sa.String(length=10), nullable=False),
        sa.Column("confidence", sa.Integer(), nullable=False),
        sa.Column("suspects_fault", sa.Boolean(), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["quiz_id"], ["quizzes.id"], name=op.f("fk_quiz_answers_quiz_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiz_answers")),
        sa.UniqueConstraint("quiz_id", "position", "round", name=op.f("uq_quiz_answers_quiz_id_position_round")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_quiz_answers_quiz_id"), "quiz_answers", ["quiz_id"], unique=False)
    op.create_table(
        "quiz_cases",
        sa.Column("quiz_id", NUMBER, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("case_record", sa.JSON(), nullable=False),
        sa.Column("advice", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["quiz_id"], ["quizzes.id"], name=op.f("fk_quiz_cases_quiz_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("quiz_id", "position", name=op.f("pk_quiz_cases")),
    )
    op.create_table(
        "study_readings",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("study_id", NUMBER, nullable=False),
        sa.Column("reader_id", NUMBER, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("arm", sa.String(length=60), nullable=False),
        sa.Column("repeat", sa.Integer(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reader_id"], ["readers.id"], name=op.f("fk_study_readings_reader_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["study_id"], ["studies.id"], name=op.f("fk_study_readings_study_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_readings")),
        sa.UniqueConstraint("reader_id", "place", name=op.f("uq_study_readings_reader_id_place")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_study_readings_reader_id"), "study_readings", ["reader_id"], unique=False)
    op.create_index(op.f("ix_study_readings_study_id"), "study_readings", ["study_id"], unique=False)
    op.create_table(
        "votes",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("room_id", NUMBER, nullable=False),
        sa.Column("student_id", NUMBER, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("diagnosis", sa.String(length=10), nullable=False),
        sa.Column("confidence", sa.Integer(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_votes_room_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["student_id"], ["students.id"], name=op.f("fk_votes_student_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_votes")),
        sa.UniqueConstraint("student_id", "position", "round", name=op.f("uq_votes_student_id_position_round")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_votes_room_id"), "votes", ["room_id"], unique=False)
    op.create_index(op.f("ix_votes_student_id"), "votes", ["student_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_votes_student_id"), table_name="votes")
    op.drop_index(op.f("ix_votes_room_id"), table_name="votes")
    op.drop_table("votes")
    op.drop_index(op.f("ix_study_readings_study_id"), table_name="study_readings")
    op.drop_index(op.f("ix_study_readings_reader_id"), table_name="study_readings")
    op.drop_table("study_readings")
    op.drop_table("quiz_cases")
    op.drop_index(op.f("ix_quiz_answers_quiz_id"), table_name="quiz_answers")
    op.drop_table("quiz_answers")
    op.drop_index(op.f("ix_students_room_id"), table_name="students")
    op.drop_table("students")
    op.drop_table("room_cases")
    op.drop_index(op.f("ix_readers_study_id"), table_name="readers")
    op.drop_table("readers")
    op.drop_index(op.f("ix_quizzes_learner_id"), table_name="quizzes")
    op.drop_table("quizzes")
    op.drop_index(op.f("ix_cards_due"), table_name="cards")
    op.drop_table("cards")
    op.drop_table("times")
    op.drop_index(op.f("ix_studies_expires_at"), table_name="studies")
    op.drop_table("studies")
    op.drop_index(op.f("ix_rooms_expires_at"), table_name="rooms")
    op.drop_table("rooms")
    op.drop_index(op.f("ix_learners_expires_at"), table_name="learners")
    op.drop_table("learners")
