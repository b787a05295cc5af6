"""What recipes and pages need beside models: runs, results, commands, baselines, plots."""
