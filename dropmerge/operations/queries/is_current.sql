{# Whether an entry m of main tables is of one that its feed has now. Parameters: tables, gone. #}
m.main_table NOT IN UNNEST(SPLIT(@gone))
AND (
  CONCAT(m.feed, '=', m.main_table) IN UNNEST(SPLIT(@tables))
  OR NOT EXISTS (SELECT 1 FROM UNNEST(SPLIT(@tables)) AS one WHERE STARTS_WITH(one, CONCAT(m.feed, '=')))
)
