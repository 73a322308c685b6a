-- Trigrams make `LIKE '%word%'` an index search; system_rows samples whole pages.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS tsm_system_rows;
