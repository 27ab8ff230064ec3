{# Once a load, also when a delivery is repeated. Parameters: feed, bucket, object, generation, load_id. #}
INSERT INTO {{ rejected | identifier }} (feed, bucket, object, generation, load_id, row_text, reasons, rejected_at)
SELECT @feed, @bucket, @object, @generation, @load_id, c._row, c._reasons, CURRENT_TIMESTAMP()
FROM {{ checked | identifier }} AS c
WHERE ARRAY_LENGTH(c._reasons) > 0
  AND NOT EXISTS (SELECT 1 FROM {{ rejected | identifier }} AS r WHERE r.load_id = @load_id)
