#!/bin/sh
# Makes what Elastic Beanstalk is given: dist/beanstalk.zip, of what is committed, with the settings of this
# environment in it. For CI, which has them as variables:
#
#     DATABASE_URL=… DJANGO_SECRET_KEY=… DJANGO_ALLOWED_HOSTS=… ./generate.sh && eb deploy NAME
#
# Each variable of .env.example that is set goes to .ebextensions/options.config. There are secrets in that file and
# in the archive: both are for their owner only, and git ignores them.
set -eu
cd "$(dirname "$0")"

for name in DATABASE_URL DJANGO_SECRET_KEY DJANGO_ALLOWED_HOSTS; do
    eval "value=\${$name:-}"
    [ -n "$value" ] || { echo "$name is not set." >&2; exit 1; }
done

# JSON is YAML, and quotes whatever a value may hold.
umask 077
python3 - >.ebextensions/options.config <<'PYTHON'
import json, os, re

names = re.findall(r"^#([A-Z0-9_]+)=", open(".env.example").read(), re.M)
settings = {name: os.environ[name] for name in names if os.environ.get(name)}
# Where the server listens is nginx's affair there.
settings = {name: value for name, value in settings.items() if name not in ("APP_HOST", "PORT")}
print(json.dumps({"option_settings": {"aws:elasticbeanstalk:application:environment": settings}}, indent=2))
PYTHON

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
git archive --output "$folder/burgee.tar" HEAD
tar -xp -C "$folder" -f "$folder/burgee.tar"  # with the modes that servers need to read it
rm "$folder/burgee.tar"
cp .ebextensions/options.config "$folder/.ebextensions/"
# Beanstalk would start each line of the other one, the release phase included, and start it again when it ends.
cat .elasticbeanstalk/Procfile >"$folder/Procfile"
mkdir -p dist
rm -f dist/beanstalk.zip
archive=$PWD/dist/beanstalk.zip
(cd "$folder" && python3 -m zipfile -c "$archive" .)
echo "dist/beanstalk.zip"
