# Activates the environment that holds this file: `source bin/activate.csh` in csh or tcsh. It may be moved and linked to.

alias deactivate 'test $?_OLD_VIRTUAL_PATH != 0 && setenv PATH "$_OLD_VIRTUAL_PATH" && unset _OLD_VIRTUAL_PATH; rehash; test $?_OLD_VIRTUAL_PROMPT != 0 && set prompt="$_OLD_VIRTUAL_PROMPT" && unset _OLD_VIRTUAL_PROMPT; unsetenv VIRTUAL_ENV; unsetenv VIRTUAL_ENV_PROMPT; test "\!:*" != "nondestructive" && unalias deactivate'

# What another environment set.
deactivate nondestructive

# This shell does not say where a sourced file is; but it has the file open.
setenv VIRTUAL_ENV "`readlink /proc/$$/fd/* | sed -n 's,/bin/activate[.]csh,,p' | tail -n 1`"

set _OLD_VIRTUAL_PATH="$PATH"
setenv PATH "${VIRTUAL_ENV}/bin:$PATH"

setenv VIRTUAL_ENV_PROMPT omnipkg
if (! "$?VIRTUAL_ENV_DISABLE_PROMPT") then
    # There is none where nobody types.
    if ($?prompt) then
        set _OLD_VIRTUAL_PROMPT="$prompt"
        set prompt = "($VIRTUAL_ENV_PROMPT) $prompt"
    endif
endif

rehash
