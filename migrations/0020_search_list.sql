-- Words that are written wait in a list, which is put into the search index in one go: the more come
-- at once, the cheaper. A pass of a large directory must not do that again and again while it
-- writes; the scanner does it beside the pass, before searches suffer.
ALTER INDEX streams_search SET (gin_pending_list_limit = 131072);
