-- Room admin: who may change things. Secrets are kept as SHA-256 of 256 random bits.

CREATE TABLE tokens (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 100),
    role text NOT NULL CHECK (role IN ('admin')),
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    revoked_at timestamptz
);
COMMENT ON TABLE tokens IS 'Bearer tokens of programs.';
COMMENT ON COLUMN tokens.id IS 'Number of the token.';
COMMENT ON COLUMN tokens.name IS 'What it is for, in a person''s words.';
COMMENT ON COLUMN tokens.role IS 'What its holder may do.';
COMMENT ON COLUMN tokens.token_hash IS 'SHA-256 of the token; the token itself is shown once and never kept.';
COMMENT ON COLUMN tokens.created_at IS 'When it was made.';
COMMENT ON COLUMN tokens.last_used_at IS 'When it last opened something, to the minute.';
COMMENT ON COLUMN tokens.revoked_at IS 'Since when it is worthless; null while it is good.';

CREATE TABLE admin_links (
    link_hash bytea PRIMARY KEY CHECK (length(link_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE admin_links IS 'One-time links that open an admin''s session; a used one is deleted.';
COMMENT ON COLUMN admin_links.link_hash IS 'SHA-256 of the secret in the link.';
COMMENT ON COLUMN admin_links.created_at IS 'When it was printed.';
COMMENT ON COLUMN admin_links.expires_at IS 'After this it opens nothing and is pruned.';

CREATE TABLE sessions (
    session_hash bytea PRIMARY KEY CHECK (length(session_hash) = 32),
    role text NOT NULL CHECK (role IN ('admin')),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE sessions IS 'Browsers that are signed in.';
COMMENT ON COLUMN sessions.session_hash IS 'SHA-256 of the secret in the cookie.';
COMMENT ON COLUMN sessions.role IS 'What the person may do.';
COMMENT ON COLUMN sessions.created_at IS 'When the link was used.';
COMMENT ON COLUMN sessions.expires_at IS 'After this the session is pruned.';
