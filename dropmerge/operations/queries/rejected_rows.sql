{# The first rows that failed their checks, as they were, and how many there are. Parameters: most, and those of
   wanted_rejected_rows.sql. #}
SELECT feed, bucket, object, generation, row_text, reasons, COUNT(*) OVER () AS total
FROM `ops.rejected_rows`
WHERE {% include 'wanted_rejected_rows.sql' %}
ORDER BY feed, object, generation, row_text
LIMIT @most
