{# Up to when merged tombstones were removed at the latest; NULL where none ever were. Parameters: feed. #}
SELECT MAX(TIMESTAMP(JSON_VALUE(detail, '$.before'))) AS before
FROM `ops.journal`
WHERE event = 'purged' AND feed = @feed
