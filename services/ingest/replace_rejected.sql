{# For a replay or backfill: an earlier check, perhaps by another contract, may have recorded rows. Parameters: feed, bucket, object, generation, load_id. #}
MERGE {{ rejected | identifier }} AS r
USING (
  SELECT
    @feed AS feed, @bucket AS bucket, @object AS object, @generation AS generation, @load_id AS load_id,
    _row AS row_text, _reasons AS reasons
  FROM {{ checked | identifier }}
  WHERE ARRAY_LENGTH(_reasons) > 0
) AS c
ON FALSE
WHEN NOT MATCHED BY TARGET THEN
  INSERT (feed, bucket, object, generation, load_id, row_text, reasons, rejected_at)
  VALUES (c.feed, c.bucket, c.object, c.generation, c.load_id, c.row_text, c.reasons, CURRENT_TIMESTAMP())
WHEN NOT MATCHED BY SOURCE AND r.load_id = @load_id THEN
  DELETE
