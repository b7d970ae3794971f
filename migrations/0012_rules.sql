-- The rules of a chat, and what broke them (product.md, Penalties).

CREATE TABLE chat_rules (
    -- Every version of every rule: what is punished is decided by the version that a message broke, and stays readable.
    -- The newest version of a rule is what holds. 'allowed' is no rule: it lists the domains that links may lead to.
    rule        INTEGER NOT NULL CHECK (rule > 0),
    version     INTEGER NOT NULL CHECK (version > 0),
    chat        INTEGER NOT NULL CHECK (chat < 0),
    kind        TEXT    NOT NULL CHECK (
        kind IN ('links', 'media', 'stickers', 'forwards', 'words', 'pattern', 'flood', 'allowed')
    ),
    person      INTEGER CHECK (person > 0),    -- whom alone it is for; NULL: everybody
    state       TEXT    NOT NULL CHECK (state IN ('on', 'off', 'removed')),
    parameters  TEXT    NOT NULL CHECK (parameters GLOB '{*}'),
    consequence TEXT    NOT NULL CHECK (consequence GLOB '{*}'),
    actor       INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (rule, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_rules_chat ON chat_rules (chat, rule, version);
-- The group that a supergroup was is looked for at every message there: its rules hold on.
CREATE INDEX chats_moved ON chats (migrated_to) WHERE migrated_to IS NOT NULL;

CREATE TRIGGER chat_rules_in_order BEFORE INSERT ON chat_rules
WHEN NEW.version IS NOT 1 + ifnull((SELECT max(version) FROM chat_rules WHERE rule = NEW.rule), 0)
    OR NEW.version = 1 AND NEW.rule IS NOT 1 + ifnull((SELECT max(rule) FROM chat_rules), 0)
BEGIN
    SELECT RAISE(ABORT, 'rules and their versions are numbered without gaps');
END;

CREATE TRIGGER chat_rules_same_rule BEFORE INSERT ON chat_rules
WHEN EXISTS (
    SELECT 1 FROM chat_rules AS before WHERE before.rule = NEW.rule AND before.version = NEW.version - 1
        AND (before.state = 'removed' OR before.chat <> NEW.chat OR before.kind <> NEW.kind
            OR before.person IS NOT NEW.person)
)
BEGIN
    SELECT RAISE(ABORT, 'a version is of the same rule, and none follows its removal');
END;

CREATE TRIGGER chat_rules_no_update BEFORE UPDATE ON chat_rules
BEGIN
    SELECT RAISE(ABORT, 'chat_rules is append-only');
END;

CREATE TRIGGER chat_rules_no_delete BEFORE DELETE ON chat_rules
BEGIN
    SELECT RAISE(ABORT, 'chat_rules is append-only');
END;

-- Which versions of which rules a stored message breaks, as [[rule, version], ...]; NULL: it asks something of the bot.
ALTER TABLE inbox ADD COLUMN judged TEXT CHECK (judged GLOB '[[]*]');

CREATE TABLE rule_violations (
    -- A message breaks a rule once, however often it is delivered or edited.
    id      INTEGER PRIMARY KEY,
    rule    INTEGER NOT NULL,
    version INTEGER NOT NULL,
    chat    INTEGER NOT NULL,
    message INTEGER NOT NULL,
    person  INTEGER NOT NULL CHECK (person >= 0),   -- 0: a channel wrote it
    said_at INTEGER NOT NULL,
    counts  INTEGER NOT NULL CHECK (counts IN (0, 1)),  -- 0: more of the same flood, which is one violation
    penalty TEXT    NOT NULL CHECK (penalty IN ('none', 'warn', 'fine', 'jail')),
    at      INTEGER NOT NULL,
    UNIQUE (rule, chat, message),
    FOREIGN KEY (rule, version) REFERENCES chat_rules (rule, version)
) STRICT;
CREATE INDEX rule_violations_person ON rule_violations (rule, person, said_at);

CREATE TRIGGER rule_violations_no_update BEFORE UPDATE ON rule_violations
BEGIN
    SELECT RAISE(ABORT, 'rule_violations is append-only');
END;

CREATE TRIGGER rule_violations_no_delete BEFORE DELETE ON rule_violations
BEGIN
    SELECT RAISE(ABORT, 'rule_violations is append-only');
END;

CREATE TABLE struck_messages (
    -- Messages that a rule has deleted: wanted until Telegram says that they are gone, or that it keeps them.
    chat      INTEGER NOT NULL,
    message   INTEGER NOT NULL,
    state     TEXT    NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'gone', 'kept')),
    wanted_at INTEGER NOT NULL,
    ended_at  INTEGER,
    CHECK ((state = 'wanted') = (ended_at IS NULL)),
    PRIMARY KEY (chat, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX struck_messages_wanted ON struck_messages (chat, message) WHERE state = 'wanted';

CREATE TRIGGER struck_messages_end BEFORE UPDATE ON struck_messages
WHEN OLD.state <> 'wanted' OR NEW.chat <> OLD.chat OR NEW.message <> OLD.message
BEGIN
    SELECT RAISE(ABORT, 'a message is deleted once');
END;
