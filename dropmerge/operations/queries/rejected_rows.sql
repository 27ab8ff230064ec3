{# The first rows that failed their checks, as they were, with how many of their file are alike, and how many there are.
   Parameters: most, and those of wanted_rejected_rows.sql. #}
SELECT
  load_id, feed, bucket, object, generation, row_text, reasons,
  COUNT(*) OVER (PARTITION BY load_id, row_text) AS alike,
  COUNT(*) OVER () AS total
FROM `ops.rejected_rows`
WHERE {% include 'wanted_rejected_rows.sql' %}
ORDER BY feed, object, generation, row_text
LIMIT @most
