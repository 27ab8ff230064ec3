MERGE {{ table | identifier }} AS t
USING {{ source | identifier }} AS s
ON t.k = s.k{% if bounds %} AND t.k BETWEEN {{ bounds[0] | literal }} AND {{ bounds[1] | literal }}{% endif %}

WHEN MATCHED THEN UPDATE SET v = t.v
