-- Transactions with the treasury's signature that these books did not sign, in blocks whose state nobody proved: those of
-- lost books during a replay, else a stranger's. An executed one used its sequence. A failed one may have: only the next
-- proof tells, and its fee is an expense then. Before this table both were forgotten until then, so a lost one looked like a
-- stranger's, and what a stranger used like ours.
CREATE TABLE foreign_spends (
    chain_id TEXT NOT NULL,
    height INTEGER NOT NULL,
    shown TEXT NOT NULL,
    tx TEXT NOT NULL CHECK (length(tx) = 64),
    code INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    fees TEXT NOT NULL,
    PRIMARY KEY (chain_id, height, shown)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER foreign_spends_fixed BEFORE UPDATE ON foreign_spends
BEGIN
    SELECT RAISE(ABORT, 'what was met in a block does not change');
END;

CREATE TRIGGER foreign_spends_kept BEFORE DELETE ON foreign_spends
BEGIN
    SELECT RAISE(ABORT, 'what was met in a block is never forgotten');
END;

-- The treasury's sequence as it was proved at proved_height; sequence adds what was used since then. Bytes of a sequence
-- below it can be used no more, by whatever is in later blocks.
ALTER TABLE cursor ADD COLUMN proved_sequence INTEGER;
UPDATE cursor SET proved_sequence = sequence WHERE proved_height = height;

-- Which sequences ours used since the last proof.
CREATE INDEX signed_transactions_confirmed ON signed_transactions (chain_id, ended_height) WHERE state = 'confirmed';

-- During a replay a later sequence lets what earlier bytes were to pay wait again before a proof says that they failed.
DROP TRIGGER withdrawals_states;
CREATE TRIGGER withdrawals_states BEFORE UPDATE OF state ON withdrawals
WHEN (OLD.state, NEW.state) NOT IN (VALUES
    ('requested', 'awaiting_approval'), ('requested', 'queued'), ('requested', 'cancelled'),
    ('awaiting_approval', 'queued'), ('awaiting_approval', 'cancelled'),
    ('queued', 'signed'), ('queued', 'cancelled'), ('queued', 'manual'),
    ('signed', 'confirmed'), ('signed', 'returned'), ('signed', 'queued'), ('signed', 'manual')
)
AND NOT (
    EXISTS (SELECT 1 FROM restores WHERE replayed_height IS NULL) AND (
        (OLD.state IN ('requested', 'awaiting_approval', 'queued') AND NEW.state = 'confirmed')
        OR (OLD.state = 'queued' AND NEW.state = 'returned')
    )
)
BEGIN
    SELECT RAISE(ABORT, 'no such step in the life of a withdrawal');
END;
