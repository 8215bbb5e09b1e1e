@rem The scripts of package.json begin with `exec`, so that a POSIX shell becomes what it starts and npm's signals reach
@rem it. cmd.exe has no exec; it finds this file beside package.json, where npm runs scripts, and runs the rest as it is.
@%*
