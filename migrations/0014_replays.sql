-- While a replay goes on, bytes that only the lost books knew of may still pay what waits here. It is given back, or
-- ended by hand, only after bytes that these books know used their sequence and failed.
CREATE TRIGGER withdrawals_kept_in_a_replay BEFORE UPDATE OF state ON withdrawals
WHEN NEW.state IN ('returned', 'cancelled', 'manual')
    AND EXISTS (SELECT 1 FROM restores WHERE replayed_height IS NULL)
    AND NOT EXISTS (
        SELECT 1 FROM payouts JOIN signed_transactions USING (hash)
        WHERE payouts.withdrawal = NEW.id AND signed_transactions.state = 'failed'
    )
BEGIN
    SELECT RAISE(ABORT, 'nothing comes back while lost bytes may pay it');
END;
