{# Rows that failed their checks, as they were. Parameters: feed, empty for all. #}
SELECT feed, bucket, object, generation, row_text, reasons
FROM `ops.rejected_rows`
WHERE @feed = '' OR feed = @feed
ORDER BY feed, object, generation, row_text
