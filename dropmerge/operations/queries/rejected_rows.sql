{# Rows of the newest files that failed their checks, as they were, with how many of their file are alike, and how many there are.
   Parameters: most, and those of wanted_rejected_rows.sql. #}
WITH _wanted AS (
  SELECT load_id, feed, bucket, object, generation, row_text, reasons
  FROM `ops.rejected_rows`
  WHERE {% include 'wanted_rejected_rows.sql' %}
),
_first AS (
  SELECT * FROM _wanted ORDER BY generation DESC, feed, object, row_text LIMIT @most
)
SELECT
  *,
  (SELECT COUNT(*) FROM _wanted WHERE _wanted.load_id = _first.load_id AND _wanted.row_text = _first.row_text) AS alike,
  (SELECT COUNT(*) FROM _wanted) AS total
FROM _first
