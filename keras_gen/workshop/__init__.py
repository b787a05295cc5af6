"""What recipes and pages need in addition to models: runs, results, commands, baselines, plots."""
