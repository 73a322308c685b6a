-- Room films: standing films, which make a film of each day, week or month by themselves.

CREATE TABLE standing_films (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    title text NOT NULL,
    wish jsonb NOT NULL CHECK (jsonb_typeof(wish) = 'object'),
    every text NOT NULL CHECK (every IN ('daily', 'weekly', 'monthly', 'rolling')),
    rolling_s double precision CHECK (rolling_s > 0),
    time_zone text NOT NULL,
    keep_films integer CHECK (keep_films > 0),
    keep_s double precision CHECK (keep_s > 0),
    announce boolean NOT NULL DEFAULT true,
    since timestamptz NOT NULL,
    ordered_at timestamptz NOT NULL,
    paused_at timestamptz,
    next_at timestamptz NOT NULL,
    made_at timestamptz,
    error text,
    past_at timestamptz,
    past_left integer NOT NULL DEFAULT 0 CHECK (past_left >= 0),
    past_total integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((every = 'rolling') = (rolling_s IS NOT NULL))
);
CREATE INDEX standing_films_due ON standing_films (next_at) WHERE paused_at IS NULL;

COMMENT ON TABLE standing_films IS 'Films that make themselves: one of each day, week or month, or one that always shows the last while.';
COMMENT ON COLUMN standing_films.id IS 'Number of the standing film.';
COMMENT ON COLUMN standing_films.slug IS 'Its name in addresses, which stays.';
COMMENT ON COLUMN standing_films.title IS 'Name for people; each of its films adds its period.';
COMMENT ON COLUMN standing_films.wish IS 'What is asked for each time: an Order without title, begin and end.';
COMMENT ON COLUMN standing_films.every IS 'daily, weekly (from Monday), monthly: a film a period; rolling: one film of the last rolling_s.';
COMMENT ON COLUMN standing_films.rolling_s IS 'Real seconds that a rolling one shows; null for the others.';
COMMENT ON COLUMN standing_films.time_zone IS 'IANA name of the zone in which its days begin and end.';
COMMENT ON COLUMN standing_films.keep_films IS 'Most films kept, the one that grows included; null: any number.';
COMMENT ON COLUMN standing_films.keep_s IS 'Seconds for which a film is kept after the end of its period; null: for ever.';
COMMENT ON COLUMN standing_films.announce IS 'Whether an event tells of each film that is done.';
COMMENT ON COLUMN standing_films.since IS 'Periods that ended before are made only when somebody asks for past ones.';
COMMENT ON COLUMN standing_films.ordered_at IS 'When the wish last changed; a rolling one is made anew then.';
COMMENT ON COLUMN standing_films.paused_at IS 'Since when it makes no new films; null: it makes them.';
COMMENT ON COLUMN standing_films.next_at IS 'When to look at it next.';
COMMENT ON COLUMN standing_films.made_at IS 'When it last made a film; null before the first.';
COMMENT ON COLUMN standing_films.error IS 'Why the next film could not be made; null otherwise.';
COMMENT ON COLUMN standing_films.past_at IS 'Begin of the past period that is made next, later ones first; null: none is asked for.';
COMMENT ON COLUMN standing_films.past_left IS 'How many past periods are still to be looked at, that one included.';
COMMENT ON COLUMN standing_films.past_total IS 'How many past periods were asked for last.';
COMMENT ON COLUMN standing_films.created_at IS 'When it was asked for.';
COMMENT ON COLUMN standing_films.changed_at IS 'When somebody last changed it.';

CREATE TABLE standing_editions (
    standing_id bigint NOT NULL REFERENCES standing_films (id) ON DELETE CASCADE,
    from_at timestamptz NOT NULL,
    to_at timestamptz,
    film_id bigint UNIQUE REFERENCES films (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (standing_id, from_at)
);
COMMENT ON TABLE standing_editions IS 'Which film a standing film made of which period: at most one of each, whoever makes them.';
COMMENT ON COLUMN standing_editions.standing_id IS 'The standing film.';
COMMENT ON COLUMN standing_editions.from_at IS 'First moment of the period; of a rolling one, when it was ordered.';
COMMENT ON COLUMN standing_editions.to_at IS 'Last moment of the period, exclusive; null for a rolling one.';
COMMENT ON COLUMN standing_editions.film_id IS 'The film; null when it was deleted: it is not made again by itself.';
COMMENT ON COLUMN standing_editions.created_at IS 'When the film was made.';

ALTER TABLE films ADD COLUMN announced_at timestamptz, ADD COLUMN complained_at timestamptz;
UPDATE films SET announced_at = now() WHERE state = 'done';
UPDATE films SET complained_at = now() WHERE error IS NOT NULL;
COMMENT ON COLUMN films.announced_at IS 'When it was told that it is done; also where nobody is to be told. Null: not yet.';
COMMENT ON COLUMN films.complained_at IS 'When it was told that it failed, since it was last told that it is done; null: not yet.';
