{# Rows that failed their checks, as they were, in no order, which a million rows would have to be brought in on one
   machine, with how many of their file are alike. Parameters: those of wanted_rejected_rows.sql. #}
SELECT
  load_id, feed, bucket, object, generation, row_text, reasons,
  COUNT(*) OVER (PARTITION BY load_id, row_text) AS alike
FROM `ops.rejected_rows`
WHERE {% include 'wanted_rejected_rows.sql' %}
