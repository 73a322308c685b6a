-- Room notifications: who is told of events, and what they were told.

CREATE TABLE destinations (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 100),
    kind text NOT NULL CHECK (kind IN ('webhook', 'apprise')),
    url text NOT NULL,
    secret text NOT NULL DEFAULT '',
    kinds text[] NOT NULL DEFAULT '{}',
    enabled boolean NOT NULL DEFAULT true,
    error text,
    error_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE destinations IS 'Where events are sent: webhooks, and what the library apprise reaches (mail, chat, phones).';
COMMENT ON COLUMN destinations.id IS 'Number of the destination.';
COMMENT ON COLUMN destinations.name IS 'Name for people.';
COMMENT ON COLUMN destinations.kind IS 'webhook: a signed POST of JSON; apprise: an address as apprise writes it.';
COMMENT ON COLUMN destinations.url IS 'Where to, credentials included: shown to nobody again.';
COMMENT ON COLUMN destinations.secret IS 'Of a webhook: with what requests are signed; needed in plain, so kept so.';
COMMENT ON COLUMN destinations.kinds IS 'Which events: kinds, or beginnings such as camera.; empty: all.';
COMMENT ON COLUMN destinations.enabled IS 'Whether it is told of new events.';
COMMENT ON COLUMN destinations.error IS 'Why the last attempt failed; null after one that did not.';
COMMENT ON COLUMN destinations.error_at IS 'When that was.';
COMMENT ON COLUMN destinations.created_at IS 'When it was added.';

CREATE TABLE deliveries (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    event_id bigint NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    destination_id integer NOT NULL REFERENCES destinations (id) ON DELETE CASCADE,
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz DEFAULT now(),
    delivered_at timestamptz,
    error text,
    UNIQUE (event_id, destination_id)
);
CREATE INDEX deliveries_due ON deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX deliveries_destination ON deliveries (destination_id, id);
COMMENT ON TABLE deliveries IS 'One event for one destination; made with the event, gone with it.';
COMMENT ON COLUMN deliveries.id IS 'Number of the delivery.';
COMMENT ON COLUMN deliveries.event_id IS 'The event.';
COMMENT ON COLUMN deliveries.destination_id IS 'The destination.';
COMMENT ON COLUMN deliveries.attempts IS 'Attempts so far.';
COMMENT ON COLUMN deliveries.next_at IS 'When it is tried next; null: never again, it was delivered or given up.';
COMMENT ON COLUMN deliveries.delivered_at IS 'When the destination took it; null: it has not.';
COMMENT ON COLUMN deliveries.error IS 'Why the last attempt failed.';
