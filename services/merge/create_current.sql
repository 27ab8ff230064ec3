{# The contract's columns, without tombstones. The alias, since a table's name hides a column of that name. #}
CREATE OR REPLACE VIEW {{ current | identifier }} AS
SELECT {{ feed.columns | map(attribute='name') | map('identifier') | join(', ') }}
FROM {{ main | identifier }} AS _main
WHERE NOT _deleted
