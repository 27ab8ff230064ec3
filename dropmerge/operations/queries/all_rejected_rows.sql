{# Rows that failed their checks, as they were, in no order: a million would have to be brought in one by one machine.
   Parameters: those of wanted_rejected_rows.sql. #}
SELECT load_id, feed, bucket, object, generation, row_text, reasons
FROM `ops.rejected_rows`
WHERE {% include 'wanted_rejected_rows.sql' %}
