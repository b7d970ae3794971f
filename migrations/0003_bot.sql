-- What the bot must remember across a restart: what came in, what buttons mean, who is called what.

-- Every update of Telegram, raw, before its offset is confirmed. The key is what the person did (a message, a tap),
-- not the delivery, so a second delivery finds the row standing.
CREATE TABLE inbox (
    id          INTEGER PRIMARY KEY,
    key         TEXT    NOT NULL UNIQUE,
    update_id   INTEGER NOT NULL,
    sender      INTEGER NOT NULL,             -- the lane it waits in; 0 when nobody stands behind it
    raw         TEXT    NOT NULL,             -- JSON; of poison, what there was
    received_at INTEGER NOT NULL,
    state       TEXT    NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'done', 'refused', 'poison')),
    code        TEXT,                         -- of the refusal, or why it is poison
    done_at     INTEGER,
    CHECK ((state = 'new') = (done_at IS NULL))
) STRICT;
CREATE INDEX inbox_new ON inbox (id) WHERE state = 'new';

-- The meaning of a button; Telegram carries its id alone. owner NULL: anyone may press, each once.
CREATE TABLE buttons (
    id         TEXT    PRIMARY KEY,
    owner      INTEGER,
    action     TEXT    NOT NULL,
    arguments  TEXT    NOT NULL CHECK (arguments GLOB '{*}'),
    question   TEXT    NOT NULL,              -- buttons of one question share it: one answer closes all
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    state      TEXT    NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'used', 'expired'))
) STRICT, WITHOUT ROWID;
CREATE INDEX buttons_question ON buttons (question) WHERE state = 'open';

-- Everyone seen, and how they want to be called. name is cleaned before it is stored.
CREATE TABLE people (
    id       INTEGER PRIMARY KEY CHECK (id > 0),
    name     TEXT    NOT NULL,
    username TEXT,
    seen_at  INTEGER NOT NULL
) STRICT;

-- The current owner of each @name. Names are recycled: moved_at tells when it last came to somebody else.
CREATE TABLE names (
    name     TEXT    PRIMARY KEY,             -- lower case, without @
    owner    INTEGER NOT NULL CHECK (owner > 0),
    seen_at  INTEGER NOT NULL,
    moved_at INTEGER,
    previous INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX names_owner ON names (owner);

-- Conversations. A private one has the id of its person; reachable 0: they blocked the bot or never began.
CREATE TABLE chats (
    id         INTEGER PRIMARY KEY,
    kind       TEXT    NOT NULL CHECK (kind IN ('private', 'group', 'supergroup', 'channel')),
    title      TEXT    NOT NULL DEFAULT '',
    reachable  INTEGER NOT NULL DEFAULT 1 CHECK (reachable IN (0, 1)),
    settings   TEXT    NOT NULL DEFAULT '{}' CHECK (settings GLOB '{*}'),
    migrated_to INTEGER,
    seen_at    INTEGER NOT NULL
) STRICT;

-- The message that later news of a subject (withdrawal:12, deposit:345) edits instead of writing another.
CREATE TABLE tracked_messages (
    subject    TEXT    PRIMARY KEY,
    chat       INTEGER NOT NULL,
    message    INTEGER NOT NULL,
    photo      INTEGER NOT NULL CHECK (photo IN (0, 1)),
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What is kept for somebody who cannot be written to, until they write.
CREATE INDEX outbox_undeliverable ON outbox (recipient) WHERE state = 'undeliverable';
