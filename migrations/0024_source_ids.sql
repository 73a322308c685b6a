-- A filter by source knows before it looks how many streams it will find: the planner puts in what
-- this function gives, where of a subquery it could only guess, and walked through all the streams
-- for a source that has hardly any (250 ms of 100,000; now 1 ms).
--
-- IMMUTABLE is not quite true, and is what makes the planner call it. Nothing old can come of it:
-- the argument is a parameter, so it is called once for each plan that is made for the very values,
-- and such a plan is used once; a general plan calls it when it runs.

CREATE FUNCTION source_ids(names text[]) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(id), '{}') FROM sources WHERE name = ANY (names)
$$;
COMMENT ON FUNCTION source_ids(text[]) IS 'Numbers of the sources with these names; unknown names are left out.';
