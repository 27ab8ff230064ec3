{# Take rejected rows of these loads off the list. Parameters: load_ids (comma-separated), and those of
   wanted_rejected_rows.sql. #}
DELETE FROM `ops.rejected_rows`
WHERE load_id IN UNNEST(SPLIT(@load_ids))
AND {% include 'wanted_rejected_rows.sql' %}
