{# The ledger's entries, each with whether it is of the main table that its feed has now: not of one that was dropped, made
   anew, or is no longer the contract's. A feed with __ in its name is a table that is being built. Parameters: tables (feed=dataset.table of each contract), gone, comma-separated. #}
SELECT
  l.feed, l.load_id, l.merged_at, l.merge_id, l.contract,
  COALESCE({% include 'is_current.sql' %}, FALSE) AS is_current
FROM `ops.ledger` AS l
LEFT JOIN `ops.main_tables` AS m ON m.table_id = l.table_id
WHERE STRPOS(l.feed, '__') = 0
