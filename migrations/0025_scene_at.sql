-- A camera that is moved while a frame arrives: whoever waited for the move sees it.

CREATE FUNCTION scene_at(camera integer, moment timestamptz) RETURNS integer
    LANGUAGE plpgsql VOLATILE AS $$
-- The scene that a camera shows at a moment. Volatile, so that it looks with eyes of its own: a
-- statement that waited for the camera's lock would go on with what it saw before it waited.
BEGIN
    RETURN (
        SELECT scene_id FROM camera_scenes WHERE camera_id = camera AND from_at <= moment
        ORDER BY from_at DESC LIMIT 1);
END
$$;
