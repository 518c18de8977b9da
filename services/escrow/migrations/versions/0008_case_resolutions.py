"""What people found about a case that nothing closes by itself, and that two of them let go of what was held.

The rows are only ever added, one for each person and case. Closing by hand is refused by the database when fewer people
spoke for it than the case needs, whatever the program thinks.
"""

from alembic import op

from services.kit.schema import grant_app

revision = "0008"
down_revision = "0007"

_STATEMENTS = (
    """
    CREATE TABLE case_resolution (
        case_id uuid NOT NULL REFERENCES cases (case_id),
        given_by text NOT NULL,
        resolution text NOT NULL CHECK (length(resolution) BETWEEN 1 AND 4000),
        evidence jsonb NOT NULL CHECK (jsonb_array_length(evidence) > 0),
        given_at timestamptz NOT NULL,
        PRIMARY KEY (case_id, given_by)
    )
    """,
    """
    CREATE FUNCTION case_by_hand_takes_its_people() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (SELECT count(*) FROM case_resolution WHERE case_id = NEW.case_id)
            < (CASE WHEN NEW.blocking THEN 2 ELSE 1 END) THEN
            RAISE EXCEPTION 'case % is not closed by hand by so few people', NEW.case_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'case_by_hand_takes_its_people';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER case_by_hand_takes_its_people BEFORE UPDATE ON cases FOR EACH ROW
    WHEN (OLD.closed_at IS NULL AND NEW.resolution = 'by_hand')
    EXECUTE FUNCTION case_by_hand_takes_its_people()
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)
    grant_app(op, {"case_resolution": "SELECT, INSERT"})
