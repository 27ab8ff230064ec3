{# Metadata for the rows that were there before the feed: older than every file's. No merge writes into the table yet.
   Parameters: adopted. #}
UPDATE {{ feed.table | identifier }}
SET _deleted = FALSE, _generation = 0, _object = '', _load_id = @adopted
WHERE _load_id IS NULL
