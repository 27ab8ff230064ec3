{# The loads that one MERGE took, of which this load is one. Parameters: feed, load_id, tables, gone. #}
SELECT o.load_id, o.merged_at, o.merge_id, o.contract
FROM ({% include 'ledger.sql' %}) AS l
JOIN `ops.ledger` AS o ON o.merge_id = l.merge_id AND o.feed = l.feed
WHERE l.feed = @feed AND l.load_id = @load_id AND l.is_current
ORDER BY o.load_id
