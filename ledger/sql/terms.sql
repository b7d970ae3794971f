-- name: standing
-- The newest change of each term of a denom.
SELECT name, amount, back FROM terms_changes
WHERE id IN (SELECT max(id) FROM terms_changes WHERE denom = ? GROUP BY name)

-- name: change
-- An owner changed a term.
INSERT INTO terms_changes (id, denom, name, amount, back, actor, at)
VALUES ((SELECT ifnull(max(id), 0) + 1 FROM terms_changes), :denom, :name, :amount, :back, :actor, :at)
