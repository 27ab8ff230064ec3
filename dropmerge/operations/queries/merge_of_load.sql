{# The loads that one MERGE took, of which this load is one. Parameters: feed, load_id. #}
SELECT o.load_id, o.merged_at, o.merge_id
FROM `ops.ledger` AS l
JOIN `ops.ledger` AS o ON o.merge_id = l.merge_id AND o.feed = l.feed
WHERE l.feed = @feed AND l.load_id = @load_id
ORDER BY o.load_id
