{# Which object generations these loads are of. Parameters: load_ids (comma-separated), since. #}
SELECT DISTINCT load_id, bucket, object, generation
FROM `ops.journal`
WHERE load_id IN UNNEST(SPLIT(@load_ids)) AND happened_at >= @since
