-- What restored books met of transactions that the lost ones had signed, in blocks whose state nobody proved. An executed
-- one used its sequence. A failed one may have: only the next proof tells, and its fee is an expense then. Before this
-- table it was forgotten until then, and looked like a stranger's use of the key.
CREATE TABLE lost_spends (
    chain_id TEXT NOT NULL,
    height INTEGER NOT NULL,
    shown TEXT NOT NULL,
    tx TEXT NOT NULL CHECK (length(tx) = 64),
    code INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    fees TEXT NOT NULL,
    PRIMARY KEY (chain_id, height, shown)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER lost_spends_fixed BEFORE UPDATE ON lost_spends
BEGIN
    SELECT RAISE(ABORT, 'what was met in a block does not change');
END;

CREATE TRIGGER lost_spends_kept BEFORE DELETE ON lost_spends
BEGIN
    SELECT RAISE(ABORT, 'what was met in a block is never forgotten');
END;

-- Which sequences ours used since the last proof.
CREATE INDEX signed_transactions_confirmed ON signed_transactions (chain_id, ended_height) WHERE state = 'confirmed';
