-- Words that are written wait in a list before they are put into the search index, which is the
-- cheaper the more come at once; after each pass the list is emptied anyhow.
ALTER INDEX streams_search SET (gin_pending_list_limit = 16384);
