#include "supervisor/recipe/listing.h"

#include "ipc/buf.h"

static void
pack_param(msgpack_packer *packer, const struct recipe_param *param)
{
	size_t nchoices = 0;

	while (param->choices && param->choices[nchoices])
		nchoices++;
	msgpack_pack_map(packer, 7);
	pack_kv_str(packer, "name", param->name);
	pack_kv_str(packer, "type", param->type);
	pack_kv_bool(packer, "required", param->required);
	pack_kv_bool(packer, "secret", param->secret);
	pack_kv_str(packer, "default", param->default_value);
	pack_str(packer, "choices");
	msgpack_pack_array(packer, nchoices);
	for (size_t i = 0; i < nchoices; i++)
		pack_str(packer, param->choices[i]);
	pack_kv_str(packer, "description", param->description);
}

void
recipe_pack(msgpack_packer *packer, const struct recipe *recipe, const char *name, const char *path,
    bool trusted)
{
	msgpack_pack_map(packer, 6);
	pack_kv_str(packer, "name", name);
	pack_kv_str(packer, "title", recipe_title(recipe));
	pack_kv_str(packer, "description", recipe_description(recipe));
	pack_kv_str(packer, "path", path);
	pack_kv_bool(packer, "trusted", trusted);
	pack_str(packer, "params");
	msgpack_pack_array(packer, recipe_param_count(recipe));
	for (size_t i = 0; i < recipe_param_count(recipe); i++) {
		struct recipe_param param = recipe_param_at(recipe, i);

		pack_param(packer, &param);
	}
}
