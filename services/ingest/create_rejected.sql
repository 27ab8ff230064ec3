{# Rows that failed their checks, as they were. #}
CREATE TABLE IF NOT EXISTS {{ rejected | identifier }} (
  feed STRING, bucket STRING, object STRING, generation INT64, load_id STRING, row_text STRING, reasons ARRAY<STRING>
) CLUSTER BY feed, load_id
