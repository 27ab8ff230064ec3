{# The latest check's counts of each of these loads, as JSON. Parameters: load_ids (comma-separated), since. #}
SELECT detail
FROM `ops.journal`
WHERE event = 'checked' AND load_id IN UNNEST(SPLIT(@load_ids)) AND happened_at >= @since
QUALIFY ROW_NUMBER() OVER (PARTITION BY load_id ORDER BY happened_at DESC) = 1
