-- Room games: recorded games of Neptune's Pride, as changes only.

CREATE TABLE games (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    site text NOT NULL CHECK (site IN ('np', 'np4', 'np2stats')),
    number text NOT NULL CHECK (number ~ '^[0-9A-Za-z_-]{1,40}$'),
    name text NOT NULL,
    version smallint NOT NULL CHECK (version IN (2, 4)),
    tick integer CHECK (tick >= 0),
    tick_rate_s integer NOT NULL DEFAULT 0 CHECK (tick_rate_s >= 0),
    production_rate integer NOT NULL DEFAULT 0 CHECK (production_rate >= 0),
    started boolean NOT NULL DEFAULT true,
    paused boolean NOT NULL DEFAULT false,
    game_over boolean NOT NULL DEFAULT false,
    turn_based boolean NOT NULL DEFAULT false,
    start_at timestamptz,
    total_stars integer NOT NULL DEFAULT 0,
    stars_for_victory integer NOT NULL DEFAULT 0,
    state text NOT NULL CHECK (state IN ('running', 'finished', 'gone', 'needs_key')),
    error text,
    hint text,
    trouble text CHECK (trouble IN ('site', 'network', 'answer', 'key', 'missing')),
    failures integer NOT NULL DEFAULT 0,
    missing smallint NOT NULL DEFAULT 0,
    closed_at timestamptz,
    next_at timestamptz,
    scanned_at timestamptz,
    seen_at timestamptz,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    UNIQUE (site, number),
    CHECK ((closed_at IS NULL) = (state IN ('running', 'needs_key')))
);
COMMENT ON TABLE games IS 'Games that are or were recorded; written when one is registered and by the scanner.';
COMMENT ON COLUMN games.id IS 'Number of the game here.';
COMMENT ON COLUMN games.site IS 'Where it is played or read: np, np4, np2stats; the addresses are settings.';
COMMENT ON COLUMN games.number IS 'Its number there.';
COMMENT ON COLUMN games.name IS 'Its name, as the last answer had it.';
COMMENT ON COLUMN games.version IS 'Shape of its answers: 2 or 4.';
COMMENT ON COLUMN games.tick IS 'The latest recorded tick; null before the first. Never goes back.';
COMMENT ON COLUMN games.tick_rate_s IS 'Seconds a tick; 0: unknown.';
COMMENT ON COLUMN games.production_rate IS 'Ticks from production to production.';
COMMENT ON COLUMN games.started IS 'Whether it had begun.';
COMMENT ON COLUMN games.paused IS 'Whether it stood still.';
COMMENT ON COLUMN games.game_over IS 'Whether it was decided. A finished game that is not was closed by a person.';
COMMENT ON COLUMN games.turn_based IS 'Whether ticks pass several at once, at the turn.';
COMMENT ON COLUMN games.start_at IS 'When it began, by its site; null where unknown.';
COMMENT ON COLUMN games.total_stars IS 'Stars there are, as the site says; in a dark galaxy more than are known.';
COMMENT ON COLUMN games.stars_for_victory IS 'Stars that win; 0: unknown.';
COMMENT ON COLUMN games.state IS 'running: the scanner looks at it; needs_key: no key is valid; finished and gone: it looks no more.';
COMMENT ON COLUMN games.error IS 'What went wrong at the last look, for a person; null after a good one.';
COMMENT ON COLUMN games.hint IS 'What to do about it.';
COMMENT ON COLUMN games.trouble IS 'The same as a word; becomes the reason of the ticks that were missed.';
COMMENT ON COLUMN games.failures IS 'Failed looks since the last good one.';
COMMENT ON COLUMN games.missing IS 'Times in a row that the site said there is no such game.';
COMMENT ON COLUMN games.closed_at IS 'When recording ended; null while it is not.';
COMMENT ON COLUMN games.next_at IS 'When the scanner looks next; null: at once.';
COMMENT ON COLUMN games.scanned_at IS 'When the scanner last looked, well or not.';
COMMENT ON COLUMN games.seen_at IS 'When the last good answer came.';
COMMENT ON COLUMN games.created_at IS 'When it was registered or imported.';
COMMENT ON COLUMN games.changed_at IS 'When a person last registered it, gave it a key or closed it.';

CREATE TABLE game_keys (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    game_id bigint NOT NULL REFERENCES games (id) ON DELETE CASCADE,
    sealed bytea NOT NULL,
    fingerprint bytea NOT NULL,
    player_uid integer,
    state text NOT NULL DEFAULT 'ok' CHECK (state IN ('ok', 'refused')),
    created_at timestamptz NOT NULL,
    answered_at timestamptz,
    UNIQUE (game_id, fingerprint)
);
COMMENT ON TABLE game_keys IS 'Players'' keys of games, encrypted; read by the scanner only, shown to nobody.';
COMMENT ON COLUMN game_keys.id IS 'Number of the key.';
COMMENT ON COLUMN game_keys.game_id IS 'Of which game.';
COMMENT ON COLUMN game_keys.sealed IS 'The key, encrypted by vigil/sealing.py.';
COMMENT ON COLUMN game_keys.fingerprint IS 'Keyed hash, to know the same key again.';
COMMENT ON COLUMN game_keys.player_uid IS 'Whose key it is, as the site said; null where it does not.';
COMMENT ON COLUMN game_keys.state IS 'ok, or refused by the site.';
COMMENT ON COLUMN game_keys.created_at IS 'When it was given.';
COMMENT ON COLUMN game_keys.answered_at IS 'When it last brought a good answer.';

CREATE TABLE game_players (
    game_id bigint NOT NULL REFERENCES games (id) ON DELETE CASCADE,
    uid integer NOT NULL CHECK (uid >= 0),
    alias text NOT NULL,
    colour text,
    shape text,
    PRIMARY KEY (game_id, uid)
);
COMMENT ON TABLE game_players IS 'Who plays a game.';
COMMENT ON COLUMN game_players.game_id IS 'Which game.';
COMMENT ON COLUMN game_players.uid IS 'Number of the player in the game.';
COMMENT ON COLUMN game_players.alias IS 'Name, as the last answer had it; empty where unknown.';
COMMENT ON COLUMN game_players.colour IS 'Colour as the site sent it; null where it does not.';
COMMENT ON COLUMN game_players.shape IS 'Shape of its stars as the site sent it; null where it does not.';

CREATE TABLE game_stars (
    game_id bigint NOT NULL REFERENCES games (id) ON DELETE CASCADE,
    star_id integer NOT NULL CHECK (star_id >= 0),
    name text NOT NULL,
    x double precision NOT NULL CHECK (abs(x) < 1e6),
    y double precision NOT NULL CHECK (abs(y) < 1e6),
    first_tick integer NOT NULL CHECK (first_tick >= 0),
    PRIMARY KEY (game_id, star_id)
);
COMMENT ON TABLE game_stars IS 'The stars that are known of a game; added when first seen, never moved.';
COMMENT ON COLUMN game_stars.game_id IS 'Which game.';
COMMENT ON COLUMN game_stars.star_id IS 'Number of the star in the game.';
COMMENT ON COLUMN game_stars.name IS 'Its name; empty where unknown.';
COMMENT ON COLUMN game_stars.x IS 'Where it is, in the game''s own units, to the right.';
COMMENT ON COLUMN game_stars.y IS 'The same, down.';
COMMENT ON COLUMN game_stars.first_tick IS 'Tick at which it was first seen.';

CREATE TABLE game_owners (
    game_id bigint NOT NULL REFERENCES games (id) ON DELETE CASCADE,
    star_id integer NOT NULL,
    tick integer NOT NULL CHECK (tick >= 0),
    player_uid integer NOT NULL CHECK (player_uid >= -1),
    PRIMARY KEY (game_id, star_id, tick)
);
COMMENT ON TABLE game_owners IS 'Whose a star is from a tick on: a row where that changed, the first where it was first seen.';
COMMENT ON COLUMN game_owners.game_id IS 'Which game.';
COMMENT ON COLUMN game_owners.star_id IS 'Which star.';
COMMENT ON COLUMN game_owners.tick IS 'From this tick on; where ticks before were missed, it may have been in one of these.';
COMMENT ON COLUMN game_owners.player_uid IS 'Whose it is; -1: nobody''s.';

CREATE TABLE game_totals (
    game_id bigint NOT NULL REFERENCES games (id) ON DELETE CASCADE,
    tick integer NOT NULL CHECK (tick >= 0),
    player_uid integer NOT NULL,
    stars integer NOT NULL,
    ships integer NOT NULL,
    economy integer NOT NULL,
    industry integer NOT NULL,
    science integer NOT NULL,
    PRIMARY KEY (game_id, tick, player_uid)
);
COMMENT ON TABLE game_totals IS 'What a player has from a tick on: a row where any of it changed.';
COMMENT ON COLUMN game_totals.game_id IS 'Which game.';
COMMENT ON COLUMN game_totals.tick IS 'From this tick on.';
COMMENT ON COLUMN game_totals.player_uid IS 'Which player.';
COMMENT ON COLUMN game_totals.stars IS 'Stars, as the site counts them, unseen ones included.';
COMMENT ON COLUMN game_totals.ships IS 'Ships in all.';
COMMENT ON COLUMN game_totals.economy IS 'Economy in all.';
COMMENT ON COLUMN game_totals.industry IS 'Industry in all.';
COMMENT ON COLUMN game_totals.science IS 'Science in all.';

CREATE TABLE game_spans (
    game_id bigint NOT NULL REFERENCES games (id) ON DELETE CASCADE,
    from_tick integer NOT NULL CHECK (from_tick >= 0),
    to_tick integer NOT NULL,
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    PRIMARY KEY (game_id, from_tick),
    CHECK (to_tick >= from_tick)
) WITH (fillfactor = 70);
COMMENT ON TABLE game_spans IS 'Ticks that were recorded, one after the other without a gap.';
COMMENT ON COLUMN game_spans.game_id IS 'Which game.';
COMMENT ON COLUMN game_spans.from_tick IS 'The first of them.';
COMMENT ON COLUMN game_spans.to_tick IS 'The last of them; grows while the game is recorded.';
COMMENT ON COLUMN game_spans.from_at IS 'When the first was recorded.';
COMMENT ON COLUMN game_spans.to_at IS 'When the last was recorded.';

CREATE TABLE game_gaps (
    game_id bigint NOT NULL REFERENCES games (id) ON DELETE CASCADE,
    from_tick integer NOT NULL CHECK (from_tick >= 0),
    to_tick integer NOT NULL,
    reason text NOT NULL
        CHECK (reason IN ('down', 'site', 'network', 'answer', 'key', 'missing', 'turn', 'fast')),
    PRIMARY KEY (game_id, from_tick),
    CHECK (to_tick >= from_tick)
);
COMMENT ON TABLE game_gaps IS 'Ticks that were missed, between recorded ones.';
COMMENT ON COLUMN game_gaps.game_id IS 'Which game.';
COMMENT ON COLUMN game_gaps.from_tick IS 'The first missed tick.';
COMMENT ON COLUMN game_gaps.to_tick IS 'The last missed tick.';
COMMENT ON COLUMN game_gaps.reason IS 'Why: vigil/games/model.py explains the words.';

CREATE TABLE game_fleets (
    game_id bigint NOT NULL REFERENCES games (id) ON DELETE CASCADE,
    tick integer NOT NULL CHECK (tick >= 0),
    ids integer[] NOT NULL,
    owners smallint[] NOT NULL,
    xs real[] NOT NULL,
    ys real[] NOT NULL,
    ships integer[] NOT NULL,
    PRIMARY KEY (game_id, tick)
);
COMMENT ON TABLE game_fleets IS 'The fleets that were seen at a tick, a row where any of it changed; only for answers that have them.';
COMMENT ON COLUMN game_fleets.game_id IS 'Which game.';
COMMENT ON COLUMN game_fleets.tick IS 'At which tick.';
COMMENT ON COLUMN game_fleets.ids IS 'Numbers of the fleets in the game, ascending; the other arrays go with it.';
COMMENT ON COLUMN game_fleets.owners IS 'Whose each is; -1: nobody''s.';
COMMENT ON COLUMN game_fleets.xs IS 'Where each is, as in game_stars.';
COMMENT ON COLUMN game_fleets.ys IS 'The same, down.';
COMMENT ON COLUMN game_fleets.ships IS 'Ships of each; -1 where unknown.';
