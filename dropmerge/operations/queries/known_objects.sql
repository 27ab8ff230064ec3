{# Object generations that the journal knows and whose names end so. Parameters: ending, since. #}
SELECT DISTINCT bucket, object, generation
FROM `ops.journal`
WHERE object IS NOT NULL AND generation IS NOT NULL AND ENDS_WITH(object, @ending) AND happened_at >= @since
