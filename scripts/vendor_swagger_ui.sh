#!/bin/sh
# Renew the docs UI that is shipped in src/supportapi/api/static/swagger-ui: scripts/vendor_swagger_ui.sh 5.35.0
# Needs npm. Source maps are not shipped, so the lines that point to them are cut.
set -eu
version=${1:?which version of swagger-ui-dist}
target=$(CDPATH='' cd -- "$(dirname -- "$0")/../src/supportapi/api/static/swagger-ui" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "swagger-ui-dist@$version" >/dev/null && tar xzf swagger-ui-dist-*.tgz)
for file in swagger-ui-bundle.js swagger-ui.css LICENSE NOTICE swagger-ui-bundle.js.LICENSE.txt; do
  cp "$work/package/$file" "$target/$file"
done
sed -i.old '/^\/\/# sourceMappingURL=/d' "$target/swagger-ui-bundle.js"
sed -i.old 's#^/\*\# sourceMappingURL=.*\*/##' "$target/swagger-ui.css"
rm -f "$target"/*.old
echo "swagger-ui-dist $version" > "$target/VERSION"
