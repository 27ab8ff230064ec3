{# The latest generation of an object that the journal knows. Parameters: bucket, object. #}
SELECT MAX(generation) AS generation FROM `ops.journal` WHERE bucket = @bucket AND object = @object
